"""Captions of figures: the same .rst files as Snakemake's own report shows, made into HTML."""

from pathlib import Path

from docutils.core import publish_doctree, publish_parts

# A caption is a paragraph or two: it includes no files and no HTML of its own, and is right as it is.
SETTINGS = {"file_insertion_enabled": False, "raw_enabled": False, "halt_level": 2}


def caption(path) -> tuple[str, str]:
    """The first sentence as plain text (what is said in place of the picture), and all as HTML.

    Raises docutils.utils.SystemMessage where the file is not reStructuredText.
    """
    text = Path(path).read_text(encoding="utf-8")
    plain = " ".join(publish_doctree(text, settings_overrides=SETTINGS).astext().split())
    html = publish_parts(text, writer="html5", settings_overrides=SETTINGS)["body"]
    return plain.split(". ")[0].rstrip("."), html
