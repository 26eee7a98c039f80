"""Captions of figures, which Snakemake's own report shows too, made into HTML."""

from docutils.core import publish_doctree, publish_parts

# A caption is a paragraph or two: it includes no files and no HTML of its own, and is right as it is.
SETTINGS = {"file_insertion_enabled": False, "raw_enabled": False, "halt_level": 2}


def caption(text: str) -> tuple[str, str]:
    """The first sentence as plain text (what is said in place of the picture), and all as HTML.

    `text`: reStructuredText; docutils.utils.SystemMessage where it is none.
    """
    plain = " ".join(publish_doctree(text, settings_overrides=SETTINGS).astext().split())
    html = publish_parts(text, writer="html5", settings_overrides=SETTINGS)["body"]
    return plain.split(". ")[0].rstrip("."), html
