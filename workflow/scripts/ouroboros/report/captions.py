"""Captions of figures as HTML; Snakemake's own report shows the same captions."""

from docutils.core import publish_doctree, publish_parts

# A caption is a paragraph or two: it may include neither files nor HTML, and any error is raised.
SETTINGS = {"file_insertion_enabled": False, "raw_enabled": False, "halt_level": 2}


def caption(text: str) -> tuple[str, str]:
    """The first sentence as plain text (the picture's alternative text), and the whole as HTML.

    `text`: reStructuredText; docutils.utils.SystemMessage where it is none.
    """
    plain = " ".join(publish_doctree(text, settings_overrides=SETTINGS).astext().split())
    html = publish_parts(text, writer="html5", settings_overrides=SETTINGS)["body"]
    return plain.split(". ")[0].rstrip("."), html
