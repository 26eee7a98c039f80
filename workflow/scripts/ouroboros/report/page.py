"""The report: one page of HTML that contains everything it shows and needs no network."""

import base64
import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import jinja2
import yaml

from ouroboros.findings.evaluate import NOTE, Group, group_findings
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN
from ouroboros.metrics.classification.declaration import SEED_DEVIATION
from ouroboros.report.captions import caption
from ouroboros.report.inline_svg import inline_svg

WIDTH = re.compile(rb'<svg[^>]* width="([\d.]+)pt"')
COLUMN = 500  # points; a wider figure has a row of its own
# Sections with a part for each lineage: id, title, and the key of the lineage's content.
SECTIONS = [
    ("numbers", "Numbers", "numbers"),
    ("samples", "Samples", "samples"),
    ("gpt-eval", "GPT-Eval", "gpt_eval"),
    ("classification", "Text classification", "accuracy"),
    ("provenance", "Settings and provenance", "settings"),
]


def page(
    template,
    lineages: list[dict],
    figures: list[dict],
    findings: dict,
    profile: list[Group],
    title: str,
    side_by_side=None,
    definitions=None,
) -> str:
    """The page of `template` (a Jinja file, with others beside it that it includes).

    `lineages` have the keys of SECTIONS, None where a lineage has no such measurements, and sentences: `epochs`
    (how their number was found), `start` (the weights that generations begin with, None where these are random) and
    `sentence` (what became of it). `profile`: verdicts on the definitions of collapse, grouped
    (findings/evaluate.py). `side_by_side` and `definitions`: tables of several lineages. `figures`: see `figure`;
    `findings`: see `verdicts`. Everything is escaped but what is part of the workflow: the captions of figures,
    their drawings, and the script, the only one that the page's policy lets run. Raises jinja2.UndefinedError
    where the template asks for what is not there.
    """
    template = Path(template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    script = (template.parent / "page.js").read_text(encoding="utf-8")
    by_owner = {}
    for drawn in figures:
        by_owner.setdefault(drawn["owner"], []).append(drawn)
    shown = {
        "title": title, "side_by_side": side_by_side, "lineages": lineages, "findings": findings, "figures": by_owner,
        "profile": profile, "definitions": definitions, "contents": contents(lineages, by_owner, findings, side_by_side), "rows": rows(lineages),
        "part_id": part_id, "seed_deviation": SEED_DEVIATION, "script": script, "script_hash": _hash(script),
    }  # fmt: skip
    return environment.get_template(template.name).render(shown) + "\n"


def contents(
    lineages: list[dict], owners, findings: dict, side_by_side=None
) -> list[tuple[str, str, list]]:
    """The table of contents: id and title of each section, and id and name of each of its parts.

    An id of a part has a / or a +, as no lineage's name has, so that no two ids are equal.
    """
    found = [
        ("collapse", "Collapse", []),
        ("findings", "Findings", [part.name for part in findings["parts"]]),
        *([("side-by-side", "Side by side", [])] if side_by_side else []),
        ("figures", "Figures", list(owners)),
        *(
            (section, title, [lineage["name"] for lineage in lineages if lineage[key]])
            for section, title, key in SECTIONS
        ),
    ]
    return [
        (section, title, [(part_id(section, name), name) for name in names])
        for section, title, names in found
        if names or section in ("collapse", "findings", "side-by-side", "figures")
    ]


def part_id(section: str, name: str) -> str:
    """The id of a section's part. Parts of the findings may be of several lineages: "a, b and c"."""
    return f"{section}/{name.replace(' ', '+')}"


def rows(lineages: list[dict]) -> dict[str, dict[str, str]]:
    """The id of the row of each LM in the table of numbers, by lineage and by the row's name ("3")."""
    return {
        lineage["name"]: {
            row[0]: f"{lineage['name']}/{'gen' if row[0].isdigit() else ''}{row[0]}/numbers"
            for row in next(iter(lineage["numbers"].values())).rows
        }
        for lineage in lineages
    }


def figure(path, caption_text: str, ids: dict[str, dict[str, str]]) -> dict:
    """A figure of the page: `owner` (a lineage or comparison), `caption` and `svg` as HTML, and `wide`.

    `path` is results/{owner}/figures/{name}.svg, as report/drawing writes it; `ids`: the page's `rows`,
    to which its values lead.
    """
    path = Path(path)
    text, html = caption(caption_text)
    owner = path.parent.parent.name
    svg = path.read_bytes()

    def target(series, generation):
        lineage = owner if owner in ids else series  # a comparison's series are its lineages
        row = ids.get(lineage, {}).get(str(generation))
        return f"#{row}" if row else None

    return {
        "owner": owner, "caption": html, "wide": float(WIDTH.search(svg)[1]) > COLUMN,
        "svg": inline_svg(svg, f"{owner}/figures/{path.stem}", f"{text}, of {owner}", target),
    }  # fmt: skip


def _hash(script):
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


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
