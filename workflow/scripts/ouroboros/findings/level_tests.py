"""Verdicts on measurements beside the baseline's or a fixed level; each a dict by `judgement`.

Values are better the larger they are. Those compared are taken as independent, which is careful
where they were measured on the same examples.
"""

import math

from ouroboros.findings.statistics import one_sided
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, LEVEL, OPEN, Series, judgement


def better(first: Series, second: Series) -> dict:
    """One measured value is above another: z-test of their difference. Series of one value each."""
    difference, error = _difference(first, second)
    p_value = _p_above(difference, error)
    verdict = OPEN
    if p_value < LEVEL:
        verdict = CONFIRMED
    elif _p_above(-difference, error) < LEVEL:
        verdict = CONTRADICTED
    values = {"first": first.measured(), "second": second.measured(), "difference": difference,
              "standard_error": error}  # fmt: skip
    said = (
        f"{first.unit} {first.values[0]:.4g}, {second.unit} {second.values[0]:.4g}: "
        f"difference {difference:+.3g} +- {error:.2g} (p {p_value:.2g})"
    )
    return judgement("z of a difference, one-sided", values, p_value, verdict, said)


def ends_no_better(last: Series, baseline: Series, margin: float, paper_last: int) -> dict:
    """At the last generation an LM is no better than the baseline (large values are good).

    Confirmed where it is not better by `margin` with confidence 0.95; contradicted where it is
    significantly better and as far on as the paper's last generation: before, it may still fall.
    """
    difference, error = _difference(last, baseline)
    p_value = _p_above(margin - difference, error)
    generation = last.generations[0]
    verdict, said = OPEN, ""
    if _p_above(difference, error) < LEVEL:
        if generation >= paper_last:
            verdict = CONTRADICTED
        else:
            said = f"; it is better, but the paper's last generation is {paper_last}"
    elif p_value < LEVEL:
        verdict = CONFIRMED
    values = {"last": last.measured(), "baseline": baseline.measured(), "difference": difference,
              "standard_error": error, "margin": margin}  # fmt: skip
    said = (
        f"{last.unit} {last.values[0]:.4g} at generation {generation}, baseline "
        f"{baseline.values[0]:.4g}: difference {difference:+.3g} +- {error:.2g} "
        f"(p {p_value:.2g} for a margin of {margin:g}){said}"
    )
    return judgement("z of a difference against a margin", values, p_value, verdict, said)


def never_better(series: Series, level: float, level_error: float, margin: float) -> dict:
    """In no generation is a value above a level: the largest z, and the mean against a margin.

    Contradicted where a generation is significantly above it (Bonferroni over generations);
    confirmed where not, and the mean is not above it by `margin` with confidence 0.95. The mean's
    error is taken as large as one generation's, since all are measured on the same examples.
    """
    n = len(series.values)
    errors = [math.hypot(e, level_error) for e in series.errors]
    mean, error = sum(series.values) / n - level, max(errors)
    best = min(
        min(1.0, n * _p_above(v - level, e)) for v, e in zip(series.values, errors, strict=True)
    )
    p_value = _p_above(margin - mean, error)
    verdict = CONTRADICTED if best < LEVEL else CONFIRMED if p_value < LEVEL else OPEN
    values = {**series.measured(), "level": level, "mean_difference": mean, "best_p_value": best,
              "margin": margin}  # fmt: skip
    said = (
        f"{series.unit} is {mean:+.3g} +- {error:.2g} above {level:.4g} in the mean of {n} "
        f"generations (p {p_value:.2g} for a margin of {margin:g}); the best generation is above "
        f"it with p {best:.2g}"
    )
    return judgement("z against a margin, largest z", values, p_value, verdict, said)


def _difference(first, second):
    return first.values[0] - second.values[0], math.hypot(first.errors[0], second.errors[0])


def _p_above(difference, error):
    """The p-value of a difference against none or less; an error of 0 leaves no doubt."""
    return one_sided(difference / error) if error else float(difference <= 0)
