"""A sentence about what became of a lineage, to be quoted: the first one of its report."""

from ouroboros.findings.results import Lineage, Missing
from ouroboros.findings.verdict import HOLDS, UNDECIDED, UNMEASURED

CROSSINGS = (  # what may go first: its name in the sentence, its place, and whether it has gone, by the threshold's key
    (
        "the most frequent phrases",
        "support.phrases_left",
        lambda value, first, of: value <= of["modes"],
    ),
    ("the rare tokens", "text.tail.surviving", lambda value, first, of: value <= of["tails"]),
    (
        "the sense of sentences",
        "support.hallucinated",
        lambda value, first, of: value >= first + of["hallucinated"],
    ),
)
DOUBLED = 2


def sentence(run: Lineage, name: str, verdicts: list[dict], thresholds: dict[str, float]) -> str:
    """One sentence about a lineage that can be quoted: its perplexity, what went first, and how many definitions hold."""
    perplexity = run.series("ppl.perplexity")
    first, last = perplexity.values[0], perplexity.values[-1]
    doubled = next(
        (
            n
            for n, value in zip(perplexity.generations, perplexity.values, strict=True)
            if value >= DOUBLED * first
        ),
        None,
    )
    parts = [
        f"{name}: perplexity went from {_number(first)} to {_number(last)} in {perplexity.generations[-1]} generations, "
        + (f"doubled by generation {doubled}" if doubled else "and never doubled")
    ]
    if gone := _gone(run, thresholds):
        earliest = min(gone.values())
        names = [what for what, n in gone.items() if n == earliest]
        parts.append(f"what went first: {' and '.join(names)}, by generation {earliest}")
    measured = [of for of in verdicts if of["verdict"] != UNMEASURED]
    holding = [of for of in measured if of["verdict"] == HOLDS]
    doubts = sum(of["verdict"] == UNDECIDED for of in measured)
    sure = f" (p {max(of['p_value'] for of in holding):.2g} or less)" if holding else ""
    parts.append(
        f"it has collapsed by {len(holding) or 'none'} of the {len(measured)} definitions that were measured{sure}"
        + (f", and {doubts} {'is' if doubts == 1 else 'are'} open" if doubts else "")
    )
    return "; ".join(parts) + "."


def _number(value: float) -> str:
    """Three digits that count, and no exponent below a million: 2.88, 6,080."""
    return f"{float(f'{value:.3g}'):,g}"


def _gone(run, thresholds) -> dict[str, int]:
    """The generation by which each thing that has gone was gone."""
    found = {}
    for what, key, gone in CROSSINGS:
        try:
            series = run.series(key)
        except Missing:
            continue
        for n, value in zip(series.generations, series.values, strict=True):
            if gone(value, series.values[0], thresholds):
                found[what] = n
                break
    return found
