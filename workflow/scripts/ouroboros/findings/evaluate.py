"""Findings: the paper's statements, judged by the measurements of lineages, and shown."""

from collections import Counter
from itertools import combinations

from ouroboros.findings.claims import Statement, of_a_lineage, of_two_sizes
from ouroboros.findings.results import Lineage, Missing
from ouroboros.findings.verdict import LEVEL, OPEN

HEAD = "| statement | in the paper | verdict | p | evidence |\n|---|---|---|--:|---|\n"


def findings(measured: dict[str, dict[str, dict]], sizes: dict[str, int]) -> list[dict]:
    """Judge all statements of each lineage, and of each two whose models differ in size.

    `measured`: lineage -> its measurements (see results.py). `sizes`: lineage -> number of its
    model's parameters. Each finding is a dict that JSON can hold: `id`, `lineages`, `statement`,
    `source` (its place in the paper), `statistic`, `values`, `p_value` (None where nothing was
    tested), `verdict` ("confirmed", "contradicted", "not enough data") and `explanation`.
    """
    lineages = {name: Lineage(artifacts) for name, artifacts in measured.items()}
    found = [_finding(s, {name: lineages[name]}) for name in lineages for s in of_a_lineage()]
    for smaller, larger in combinations(sorted(lineages, key=sizes.get), 2):
        if sizes[smaller] < sizes[larger]:
            pair = {name: lineages[name] for name in (smaller, larger)}
            found += [_finding(statement, pair) for statement in of_two_sizes()]
    return found


def findings_section(findings: list[dict]) -> str:
    """The findings as a Markdown section: a summary, and a table for each lineage or pair."""
    counts = Counter(finding["verdict"] for finding in findings)
    parts = [
        "## The paper's findings\n\n"
        f"{', '.join(f'{count} {verdict}' for verdict, count in counts.most_common())}. Each test "
        f"is at the level {LEVEL:g} for itself: of twenty statements that are not true one may "
        "pass. Generations are a chain and not independent, so that a drift without direction is "
        "taken for a trend more often than p says.\n"
    ]
    for names in dict.fromkeys(tuple(finding["lineages"]) for finding in findings):
        own = [finding for finding in findings if tuple(finding["lineages"]) == names]
        rows = [_row(finding) for finding in own if finding["p_value"] is not None]
        parts.append(f"### {' and '.join(names)}\n\n" + (HEAD + "".join(rows) if rows else ""))
        untested = [finding for finding in own if finding["p_value"] is None]
        wanting = ", ".join(dict.fromkeys(finding["values"]["missing"] for finding in untested))
        if untested:
            parts.append(f"{len(untested)} statements are not tested for want of {wanting}.\n")
    return "\n".join(parts)


def _row(finding):
    p_value = "" if finding["p_value"] is None else f"{finding['p_value']:.2g}"
    cells = (finding["statement"], finding["source"], f"**{finding['verdict']}**", p_value,
             f"{finding['statistic']}: {finding['explanation']}")  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _finding(statement: Statement, lineages: dict[str, Lineage]) -> dict:
    for lineage in lineages.values():
        lineage.gaps.clear()
    try:
        judged = statement.judge(*lineages.values())
    except Missing as missing:
        judged = {
            "statistic": "none", "values": {"missing": str(missing)}, "p_value": None, "verdict": OPEN,
            "explanation": f"missing: {missing}",
        }  # fmt: skip
    gaps = [f"; {name}: no {gap}" for name, lineage in lineages.items() for gap in lineage.gaps]
    judged["explanation"] += "".join(gaps)
    return {
        "id": statement.id, "lineages": list(lineages), "statement": statement.text,
        "source": statement.source, **judged,
    }  # fmt: skip
