"""The report: one page of HTML that contains everything it shows and needs no network."""

import base64
import json
import re
from collections import Counter
from pathlib import Path

import jinja2
import yaml

from ouroboros.findings.evaluate import NOTE, group_findings
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN
from ouroboros.metrics.classification.declaration import SEED_DEVIATION
from ouroboros.report.captions import caption

SIZE = re.compile(rb'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"')
# Sections with a part for each lineage: id, title, and the key of the lineage's content.
SECTIONS = [
    ("numbers", "Numbers", "numbers"),
    ("samples", "Samples", "samples"),
    ("gpt-eval", "GPT-Eval", "gpt_eval"),
    ("classification", "Text classification", "accuracy"),
    ("provenance", "Settings and provenance", "settings"),
]


def page(template, lineages: list[dict], **content) -> str:
    """The page of `template` (a Jinja file, with others beside it that it includes).

    `lineages` have the keys of SECTIONS, None where a lineage has no such measurements, and `epochs`, a
    sentence on how their number was found. Everything is
    escaped but the captions of figures, which are part of the workflow. Raises jinja2.UndefinedError where
    the template asks for what is not there.
    """
    template = Path(template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    sections = [entry for entry in SECTIONS if any(lineage[entry[2]] for lineage in lineages)]
    shown = {
        "lineages": lineages, "sections": sections, "seed_deviation": SEED_DEVIATION, **content
    }  # fmt: skip
    return environment.get_template(template.name).render(shown) + "\n"


def figure(path, caption_text: str) -> dict:
    """A figure of the page: `owner` (a lineage or comparison), `text` (the alternative text),
    `caption` as HTML, `uri`, and `width` and `height` in points.

    `path` is results/{owner}/figures/{name}.svg, as Matplotlib writes it. As an image, and not as
    elements of the page, an svg keeps its ids and styles to itself.
    """
    path = Path(path)
    text, html = caption(caption_text)
    svg = path.read_bytes()
    data = base64.b64encode(svg).decode("ascii")
    width, height = (round(float(n)) for n in SIZE.search(svg).groups())
    owner = path.parent.parent.name
    return {
        "owner": owner, "text": f"{text}, of {owner}", "caption": html,
        "uri": f"data:image/svg+xml;base64,{data}", "width": width, "height": height,
    }  # fmt: skip


def verdicts(findings: list[dict]) -> dict:
    """Findings of the page: `counts` of verdicts, a `note` on the tests, and `parts`, one for each
    lineage or pair (see findings/evaluate.py).
    """
    counts = Counter(finding["verdict"] for finding in findings)
    return {
        "counts": {verdict: counts[verdict] for verdict in (CONFIRMED, CONTRADICTED, OPEN)},
        "note": NOTE,
        "parts": group_findings(findings),
    }


def settings_text(settings: dict) -> str:
    """Settings as YAML, in their own order."""
    # Through JSON, so that an object that two settings share is written twice and not as &id001.
    return yaml.safe_dump(json.loads(json.dumps(settings)), sort_keys=False, allow_unicode=True)
