"""Pictures that Matplotlib wrote as elements of a page, which shows their titles and follows their links."""

from collections.abc import Callable
from xml.etree import ElementTree

SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", LINK)


def inline_svg(svg: bytes, name: str, text: str, target: Callable[[str, int], str | None]) -> str:
    """The <svg> element of a picture.

    Its ids begin with `name`, so that they are the page's only ones, and its style sheet, which would hold
    for the whole page, is left out (page.css has the same). `text` is what it is read as. `target`: where the
    value of a series ("33m") at a generation leads (see drawing/values.py), None: nowhere.
    """
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, f"{name}/{value}")
            elif key == f"{{{LINK}}}href" and value.startswith("#"):
                element.set(key, f"#{name}/{value[1:]}")
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}/"))
    for link in root.iter(f"{{{SVG}}}a"):
        of, generation = (
            link.attrib.pop("data-series", ""),
            link.attrib.pop("data-generation", None),
        )
        href = target(of, int(generation)) if generation else None
        if href:
            # Not a stop of the Tab key: there may be hundreds, and the tables have the same values.
            link.attrib.update({"href": href, "tabindex": "-1"})
    root.attrib.update({"role": "img", "aria-label": text})
    return ElementTree.tostring(root, encoding="unicode")
