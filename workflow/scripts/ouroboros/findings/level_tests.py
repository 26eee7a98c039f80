"""Tests of measurements against each other or a level; each returns an `outcome`.

Larger values are better. The errors are those of the measurement, and of the seeds where several
lineages are combined (see estimates.py).
"""

import math

from ouroboros.findings.estimates import Estimate
from ouroboros.findings.verdict import CONTRADICTED, LEVEL, OPEN, outcome, verdict


def every_above(differences: dict[str, Estimate], unit: str, verb: str) -> dict:
    """Test that each of several differences is above 0 (from every generation to the next, in every generation).

    Confirmed if each is, significantly: the test of all of them together needs no correction (Berger
    1982, "Multiparameter hypothesis testing and acceptance sampling"). Contradicted if one is
    significantly below, corrected for their number (Bonferroni).

    `differences`: by their names in sentences ("gen1 to gen2"). `unit`, `verb`: "perplexity", "rises".
    """
    n = len(differences)
    above = [difference.p_above() for difference in differences.values()]
    below = {name: difference.p_below() for name, difference in differences.items()}
    confirms, least = max(above, default=1.0), min(below.values(), default=1.0)
    found = verdict(confirms, max(n, 1) * least)
    positive = sum(difference.value > 0 for difference in differences.values())
    significant = sum(p < LEVEL for p in above)
    falls = [name for name, p in below.items() if n * p < LEVEL]
    explanation = f"{unit} {verb} in {positive} of {n}, significantly in {significant}"
    if falls:
        explanation += f", and significantly not in {len(falls)} ({', '.join(falls[:3])}{', ...' * (len(falls) > 3)})"
    values = {
        "differences": {name: difference.value for name, difference in differences.items()},
        "standard_errors": {name: difference.error for name, difference in differences.items()},
        "positive": positive, "significant": significant, "significantly_negative": len(falls),
    }  # fmt: skip
    return outcome(
        "paired differences", values, confirms, found, f"{explanation} (p {confirms:.2g})"
    )


def some_above(differences: dict[str, Estimate], unit: str) -> dict:
    """Test that at least one of several differences is above 0: the most significant one (Bonferroni).

    Contradicted if each is significantly below.
    """
    n = len(differences)
    best = min(differences, key=lambda name: differences[name].p_above())
    confirms = min(1.0, n * differences[best].p_above())
    contradicts = max(difference.p_below() for difference in differences.values())
    positive = sum(difference.value > 0 for difference in differences.values())
    values = {"differences": {name: difference.value for name, difference in differences.items()},
              "positive": positive, "best": best}  # fmt: skip
    explanation = (
        f"{unit} higher in {positive} of {n}; the clearest is {best}: {differences[best]} "
        f"(p {confirms:.2g} for all {n} together)"
    )
    found = verdict(confirms, contradicts)
    return outcome("largest difference", values, confirms, found, explanation)


def better(difference: Estimate, what: str) -> dict:
    """Test that a difference is above 0. `what`: the two in a sentence."""
    p_value = difference.p_above()
    values = {"difference": difference.value, "standard_error": difference.error}
    explanation = f"{what}: difference {difference} (p {p_value:.2g})"
    found = verdict(p_value, difference.p_below())
    return outcome("difference", values, p_value, found, explanation)


def ends_no_better(
    difference: Estimate, what: str, margin: float, generation: int, paper_last: int
) -> dict:
    """Test that the last generation, `generation`, is no better than the baseline, by this difference.

    Confirmed if, with confidence 0.95, it is not better by `margin`. Contradicted if it is
    significantly better at the paper's last generation or later: before that, it may still fall.
    """
    p_value, better_p = difference.p_below(margin), difference.p_above()
    remark = ""
    if better_p < LEVEL:
        found = CONTRADICTED if generation >= paper_last else OPEN
        if found == OPEN:
            remark = f"; it is better, but the paper's last generation is {paper_last}"
    else:
        found = verdict(p_value, 1.0)
    values = {"generation": generation, "difference": difference.value,
              "standard_error": difference.error, "margin": margin}  # fmt: skip
    explanation = (
        f"{what}: difference {difference} (p {p_value:.2g} for a margin of {margin:g}){remark}"
    )
    return outcome("difference against a margin", values, p_value, found, explanation)


def never_better(
    differences: dict[str, Estimate], mean: Estimate, unit: str, margin: float
) -> dict:
    """Test that none of several differences is above 0: the largest, and their mean against a margin.

    Contradicted if one is significantly above (Bonferroni). Confirmed if none is and, with confidence
    0.95, their mean is not above `margin`.
    """
    n = len(differences)
    best = min(1.0, n * min(difference.p_above() for difference in differences.values()))
    p_value = mean.p_below(margin)
    found = CONTRADICTED if best < LEVEL else verdict(p_value, 1.0)
    positive = sum(difference.value > 0 for difference in differences.values())
    values = {"differences": {name: difference.value for name, difference in differences.items()},
              "mean_difference": mean.value, "standard_error": mean.error, "best_p_value": best,
              "margin": margin}  # fmt: skip
    explanation = (
        f"{unit} in {positive} of {n}; in the mean {mean} (p {p_value:.2g} for a margin of "
        f"{margin:g}); the clearest has p {best:.2g} for all {n} together"
    )
    return outcome("differences, mean against a margin", values, p_value, found, explanation)


def within(estimate: Estimate, low: float, high: float, what: str) -> dict:
    """Test that a number lies between two limits: two one-sided tests.

    Contradicted if it lies significantly outside.
    """
    confirms = max(estimate.p_above(low), estimate.p_below(high))
    contradicts = min(estimate.p_below(low), estimate.p_above(high))
    values = {"value": estimate.value, "standard_error": estimate.error, "limits": [low, high]}
    explanation = f"{what}: {estimate.value:.3g} +- {estimate.error:.2g} (p {confirms:.2g} for {low:g} to {high:g})"
    return outcome("between limits", values, confirms, verdict(confirms, contradicts), explanation)


def mean_of(differences: list[Estimate], shared: list[float]) -> Estimate:
    """The mean of differences whose errors are in part the same error, `shared` (standard errors)."""
    own = [d.error**2 - min(s, d.error) ** 2 for d, s in zip(differences, shared, strict=True)]
    n = len(differences)
    error = math.hypot(max(shared), math.sqrt(sum(own)) / n)
    return Estimate(sum(difference.value for difference in differences) / n, error)
