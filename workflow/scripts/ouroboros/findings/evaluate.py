"""Findings: the outcome of each of the paper's claims on the measurements of lineages."""

from collections import Counter
from itertools import combinations
from typing import NamedTuple

from ouroboros.findings.claims import Claim, lineage_claims, size_claims
from ouroboros.findings.results import Lineage, Missing
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, LEVEL, OPEN, SEEDS, outcome
from ouroboros.storage.markdown import table

NOTE = (
    f"Where there is no trend or difference at all, a claim is confirmed in at most {LEVEL:.0%} of cases and "
    f"contradicted in at most {LEVEL:.0%}, each claim by itself: of forty such claims, two may be. Generations are a chain, so a trend of one lineage must be "
    "clearer than what a random walk shows; its errors are those of the measurement, and how far another "
    f"seed would be from it they do not say. {SEEDS} seeds or more are tested together, and their spread "
    "is in the errors. The rates of false verdicts, simulated, are in docs/findings.md."
)
HEAD = ("claim", "in the paper", "verdict", "p", "evidence")


def findings(
    measured: dict[str, dict[str, dict]], sizes: dict[str, int], setups: list[list[str]]
) -> list[dict]:
    """Test the claims about each setup, and about each two whose models differ in size.

    `measured`: lineage -> its measurements (see results.py). `sizes`: lineage -> number of its
    model's parameters. `setups`: lineages that differ by their seeds alone, together; of fewer than
    SEEDS each lineage is tested by itself. A finding is a dict that JSON can hold: `id`, `lineages`,
    `statement` (the claim), `source` (its place in the paper), and the test's `outcome` (see
    verdict.py).
    """
    lineages = {name: Lineage(artifacts) for name, artifacts in measured.items()}
    runs = tested_together(setups)
    found = [_finding(claim, lineages, run) for run in runs for claim in lineage_claims()]
    for smaller, larger in combinations(sorted(runs, key=lambda run: sizes[run[0]]), 2):
        if sizes[smaller[0]] < sizes[larger[0]]:
            # of as many seeds of each as both have; a single one, where they are too few together
            count = min(len(smaller), len(larger))
            count = count if count >= SEEDS else 1
            pair = smaller[:count], larger[:count]
            found += [_finding(claim, lineages, *pair) for claim in size_claims()]
    return found


def tested_together(setups: list[list[str]]) -> list[list[str]]:
    """The lineages that are tested together: those of a setup, where it has SEEDS; else each by itself."""
    return [
        run
        for setup in setups
        for run in ([setup] if len(setup) >= SEEDS else [[name] for name in setup])
    ]


class Group(NamedTuple):
    """Findings about the same lineages, those that were tested and those that were not."""

    name: str
    tested: list[dict]
    untested: list[dict]


def group_findings(findings: list[dict]) -> list[Group]:
    """Findings by the lineages that they are about."""
    groups = {}
    for finding in findings:
        *others, last = finding["lineages"]
        name = f"{', '.join(others)} and {last}" if others else last
        group = groups.setdefault(name, Group(name, [], []))
        (group.untested if finding["p_value"] is None else group.tested).append(finding)
    return list(groups.values())


def findings_section(findings: list[dict]) -> str:
    """The findings as a Markdown section: a summary, and a table for each setup or pair."""
    counts = Counter(finding["verdict"] for finding in findings)
    said = [verdict for verdict in (CONFIRMED, CONTRADICTED, OPEN) if counts[verdict]]
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in said)
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


def _finding(claim: Claim, lineages: dict[str, Lineage], *sides: list[str]) -> dict:
    names = [name for side in sides for name in side]
    for name in names:
        lineages[name].gaps.clear()
    try:
        result = claim.test(*([lineages[name] for name in side] for side in sides))
    except Missing as missing:
        result = outcome("none", {"missing": str(missing)}, None, OPEN, f"missing: {missing}")
    gaps = [f"; {name}: no {gap}" for name in names for gap in dict.fromkeys(lineages[name].gaps)]
    result["explanation"] += "".join(gaps)
    return {
        "id": claim.id, "lineages": names, "statement": claim.text,
        "source": claim.source, **result,
    }  # fmt: skip
