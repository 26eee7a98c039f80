"""Findings: the outcome of each of the paper's claims on the measurements of lineages."""

from collections import Counter
from itertools import combinations
from typing import NamedTuple

from ouroboros.findings.claims import Claim, lineage_claims, size_claims
from ouroboros.findings.results import Lineage, Missing
from ouroboros.findings.verdict import LEVEL, OPEN, outcome
from ouroboros.storage.markdown import table

NOTE = (
    f"Each test has a significance level of {LEVEL:g} of its own: of twenty false claims about one may "
    "pass. Generations depend on those before them, so that a random walk passes for a trend more "
    "often than p says."
)
HEAD = ("claim", "in the paper", "verdict", "p", "evidence")


def findings(measured: dict[str, dict[str, dict]], sizes: dict[str, int]) -> list[dict]:
    """Test the claims about each lineage, and about each two whose models differ in size.

    `measured`: lineage -> its measurements (see results.py). `sizes`: lineage -> number of its
    model's parameters. A finding is a dict that JSON can hold: `id`, `lineages`, `statement` (the
    claim), `source` (its place in the paper), and the test's `outcome` (see verdict.py).
    """
    lineages = {name: Lineage(artifacts) for name, artifacts in measured.items()}
    found = [
        _finding(claim, {name: lineages[name]}) for name in lineages for claim in lineage_claims()
    ]
    for smaller, larger in combinations(sorted(lineages, key=sizes.get), 2):
        if sizes[smaller] < sizes[larger]:
            pair = {name: lineages[name] for name in (smaller, larger)}
            found += [_finding(claim, pair) for claim in size_claims()]
    return found


class Group(NamedTuple):
    """Findings about the same lineage or pair, those that were tested and those that were not."""

    name: str
    tested: list[dict]
    untested: list[dict]


def group_findings(findings: list[dict]) -> list[Group]:
    """Findings by the lineage or pair that they are about."""
    groups = {}
    for finding in findings:
        name = " and ".join(finding["lineages"])
        group = groups.setdefault(name, Group(name, [], []))
        (group.untested if finding["p_value"] is None else group.tested).append(finding)
    return list(groups.values())


def findings_section(findings: list[dict]) -> str:
    """The findings as a Markdown section: a summary, and a table for each lineage or pair."""
    counts = Counter(finding["verdict"] for finding in findings)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    parts = [f"## The paper's findings\n\n{summary}. {NOTE}\n"]
    for name, tested, untested in group_findings(findings):
        claims = table(HEAD, list(map(_row, tested)), "<<<><") if tested else ""
        parts.append(f"### {name}\n\n{claims}")
        if untested:
            missing = ", ".join(dict.fromkeys(finding["values"]["missing"] for finding in untested))
            parts.append(f"{len(untested)} claims are not tested, for lack of {missing}.\n")
    return "\n".join(parts)


def _row(finding):
    return (finding["statement"], finding["source"], f"**{finding['verdict']}**",
            f"{finding['p_value']:.2g}", f"{finding['statistic']}: {finding['explanation']}")  # fmt: skip


def _finding(claim: Claim, lineages: dict[str, Lineage]) -> dict:
    for lineage in lineages.values():
        lineage.gaps.clear()
    try:
        result = claim.test(*lineages.values())
    except Missing as missing:
        result = outcome("none", {"missing": str(missing)}, None, OPEN, f"missing: {missing}")
    gaps = [f"; {name}: no {gap}" for name, lineage in lineages.items() for gap in lineage.gaps]
    result["explanation"] += "".join(gaps)
    return {
        "id": claim.id, "lineages": list(lineages), "statement": claim.text,
        "source": claim.source, **result,
    }  # fmt: skip
