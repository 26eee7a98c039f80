"""Tests of measurements against the baseline's or a fixed level; each returns an `outcome`.

Larger values are better. Values are compared as if they were independent, which is conservative for
those measured on the same examples.
"""

import math

from ouroboros.findings.series import Series
from ouroboros.findings.statistics import one_sided_p
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, LEVEL, OPEN, outcome


def better(first: Series, second: Series) -> dict:
    """Test that the first value is above the second: z-test. Series of one value each."""
    difference, error = _difference(first, second)
    p_value = _p_above(difference, error)
    verdict = OPEN
    if p_value < LEVEL:
        verdict = CONFIRMED
    elif _p_above(-difference, error) < LEVEL:
        verdict = CONTRADICTED
    values = {"first": first.data(), "second": second.data(), "difference": difference,
              "standard_error": error}  # fmt: skip
    explanation = (
        f"{first.unit} {first.values[0]:.4g}, {second.unit} {second.values[0]:.4g}: "
        f"difference {difference:+.3g} +- {error:.2g} (p {p_value:.2g})"
    )
    return outcome("z of a difference, one-sided", values, p_value, verdict, explanation)


def ends_no_better(last: Series, baseline: Series, margin: float, paper_last: int) -> dict:
    """Test that the last generation is no better than the baseline. Series of one value each.

    Confirmed if, with confidence 0.95, it is not better by `margin`. Contradicted if it is
    significantly better at the paper's last generation or later: before that, it may still fall.
    """
    difference, error = _difference(last, baseline)
    p_value = _p_above(margin - difference, error)
    generation = last.generations[0]
    verdict, remark = OPEN, ""
    if _p_above(difference, error) < LEVEL:
        if generation >= paper_last:
            verdict = CONTRADICTED
        else:
            remark = f"; it is better, but the paper's last generation is {paper_last}"
    elif p_value < LEVEL:
        verdict = CONFIRMED
    values = {"last": last.data(), "baseline": baseline.data(), "difference": difference,
              "standard_error": error, "margin": margin}  # fmt: skip
    explanation = (
        f"{last.unit} {last.values[0]:.4g} at generation {generation}, baseline "
        f"{baseline.values[0]:.4g}: difference {difference:+.3g} +- {error:.2g} "
        f"(p {p_value:.2g} for a margin of {margin:g}){remark}"
    )
    return outcome("z of a difference against a margin", values, p_value, verdict, explanation)


def never_better(series: Series, level: float, level_error: float, margin: float) -> dict:
    """Test that no generation is above a level: the largest z, and the mean against a margin.

    Contradicted if a generation is significantly above it (Bonferroni over generations). Confirmed
    if none is and, with confidence 0.95, the mean is not above it by `margin`. The mean's error is
    taken as large as the largest of a generation, since all are measured on the same examples.
    """
    n = len(series.values)
    errors = [math.hypot(e, level_error) for e in series.errors]
    mean, error = sum(series.values) / n - level, max(errors)
    best = min(
        min(1.0, n * _p_above(v - level, e)) for v, e in zip(series.values, errors, strict=True)
    )
    p_value = _p_above(margin - mean, error)
    verdict = CONTRADICTED if best < LEVEL else CONFIRMED if p_value < LEVEL else OPEN
    values = {**series.data(), "level": level, "mean_difference": mean, "best_p_value": best,
              "margin": margin}  # fmt: skip
    explanation = (
        f"{series.unit} is {mean:+.3g} +- {error:.2g} above {level:.4g} in the mean of {n} "
        f"generations (p {p_value:.2g} for a margin of {margin:g}); the best generation is above "
        f"it with p {best:.2g}"
    )
    return outcome("z against a margin, largest z", values, p_value, verdict, explanation)


def _difference(first, second):
    return first.values[0] - second.values[0], math.hypot(first.errors[0], second.errors[0])


def _p_above(difference, error):
    """One-sided p-value of a difference above 0; with an error of 0 it is 0 or 1."""
    return one_sided_p(difference / error) if error else float(difference <= 0)
