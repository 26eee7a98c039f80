"""Tests of series for a trend over the generations; each returns an `outcome`.

`runs`: a series of one lineage, or one of each of three lineages or more that differ by their seeds.
"""

import math

import numpy as np

from ouroboros.findings.estimates import Estimate, combine
from ouroboros.findings.series import Series, mean_series
from ouroboros.findings.statistics import (
    change,
    kendall,
    p_of_fall,
    p_of_fall_from_peak,
    p_of_rise,
    slope,
)
from ouroboros.findings.verdict import LEVEL, OPEN, outcome, verdict

MORE_SEEDS = "; with `seeds: [1, 2, 3]` this could be decided"


def trend(runs: list[Series], direction: int) -> dict:
    """Test that the values rise (`direction` 1) or fall (-1); contradicted by a trend the other way.

    One lineage: see `p_of_rise`. Several: a t-test of the slopes of their least-squares lines, which
    makes no assumption about how generations depend on each other; or every lineage by itself.
    """
    rise, fall, values, explanation = _trend(runs)
    confirms, contradicts = (rise, fall) if direction > 0 else (fall, rise)
    found = verdict(confirms, contradicts)
    return outcome(
        _name(runs), values, confirms, found,
        f"{explanation} (p {confirms:.2g}){_weak(runs, found)}",
    )  # fmt: skip


def stays(runs: list[Series], margin: float, may_fall: bool = False) -> dict:
    """Test that the values change by less than `margin` from first to last; with `may_fall`, that they do not rise.

    Confirmed by two one-sided tests against the margin (with `may_fall` one, or a significant fall).
    Contradicted by a significant trend (rise) that the margin does not excuse.
    """
    rise, fall, values, explanation = _trend(runs)
    changes = [_change(run, len(runs)) for run in runs if len(run.values) > 2]
    if len(changes) < len(runs):
        return outcome(_name(runs), values, 1.0, OPEN, f"{explanation}; too few generations")
    total = combine(changes)
    if may_fall:
        confirms, contradicts = min(total.p_below(margin), fall), rise
    else:
        confirms = max(total.p_below(margin), total.p_above(-margin))
        contradicts = 2 * min(rise, fall)
    found = verdict(confirms, contradicts)
    return outcome(
        f"{_name(runs)}, change against a margin",
        {**values, "change": total.value, "standard_error": total.error, "margin": margin},
        confirms, found,
        f"{explanation}; change {total} (p {confirms:.2g} for a margin of {margin:g}){_weak(runs, found)}",
    )  # fmt: skip


def rises_then_falls(runs: list[Series], paper_last: int) -> dict:
    """Test that the values rise to a peak and fall after it. p is the larger one of the two.

    One lineage: the rise from the first value to the peak is judged by their own errors, for all
    possible peaks together (Bonferroni), since it may take a single generation; the fall by
    `p_of_fall_from_peak`. Several: see `_rise_and_fall`. Contradicted if the values fall
    significantly from the first on, none later being as high within its error; or if they still rise
    at `paper_last` or later.
    """
    series = mean_series(runs)
    n, values, generations = len(series.values), series.values, series.generations
    top = values.index(max(values))
    peak = generations[top]
    rise, fall = _rise_and_fall(runs, top)
    up, down, *_ = _trend(runs)
    falls_at_once = top == 0 and down < LEVEL / 2 and _next_best(runs, series).p_below() < LEVEL
    still_rises = top == n - 1 and peak >= paper_last and up < LEVEL / 2
    p_value = 1.0 if rise is None else max(rise, fall)
    found = verdict(p_value, 0.0 if falls_at_once or still_rises else 1.0)
    judged = (
        "its error is not measured; `--forcerun text` does" if rise is None else f"p {rise:.2g}"
    )
    explanation = (
        f"{_ends(series)}; the peak is {max(values):.4g} (gen{peak}): rise to it ({judged}), "
        f"fall from it (p {fall:.2g}){_weak(runs, found)}"
    )
    results = {**series.data(), "peak": peak, "rise_p_value": rise, "fall_p_value": fall}
    return outcome("rise to the peak, fall from it", results, p_value, found, explanation)


def falls_from_peak(runs: list[Series]) -> int | None:
    """The generation of the highest value, if the fall from it to the last is significant."""
    series = mean_series(runs)
    top = series.values.index(max(series.values))
    _, fall = _rise_and_fall(runs, top)
    return series.generations[top] if fall < LEVEL else None


def _rise_and_fall(runs, top):
    """p of the rise to the peak, None where one lineage has no errors; p of the fall from it.

    Of several lineages each is compared with its ends at the peak of the others' mean, which it had
    no part in choosing; t-test. But the peaks depend on each other: in simulations of no trend, 7% of
    p-values are below .05, so p is doubled.
    """
    if len(runs) == 1:
        (run,) = runs
        n, fall = len(run.values), p_of_fall_from_peak(run.values)
        if not run.errors or n < 2:
            return None, fall
        return min(1.0, (n - 1) * _difference(run, 0, top).p_above()), fall
    rises, falls = [], []
    for run in runs:
        others = mean_series([other for other in runs if other is not run])
        at = others.generations[others.values.index(max(others.values))]
        if at not in run.generations:
            return 1.0, 1.0
        top = run.generations.index(at)
        rises.append(_difference(run, 0, top)._replace(error=0.0))
        falls.append(_difference(run, -1, top)._replace(error=0.0))
    return tuple(min(1.0, 2 * combine(of).p_above()) for of in (rises, falls))


def _next_best(runs, series):
    """How far the highest value after the first is above it; nothing is known without errors."""
    if len(runs) == 1 and not series.errors:
        return Estimate(0.0, math.inf)
    best = max(range(1, len(series.values)), key=series.values.__getitem__)
    ends = series.generations[0], series.generations[best]
    return combine([_difference(run, *(run.generations.index(n) for n in ends)) for run in runs])


def _trend(runs):
    """p of a rise, p of a fall, what findings.json holds, and the numbers in a sentence."""
    if len(runs) == 1:
        (run,) = runs
        rise, fall = p_of_rise(run.values), p_of_fall(run.values)
        values, explanation = run.data(), f"{_ends(run)}, n {len(run.values)}"
        if len(run.values) > 2:
            values["tau"] = float(kendall(np.array([run.values]))[0])
            explanation += f", tau {values['tau']:.2f}"
            total, error = change(run.values)
            steps = len(run.values) - 1
            values |= {"mean_step": total / steps, "standard_error": error / steps}
            explanation += f", mean step {total / steps:+.3g} +- {error / steps:.2g}"
        return rise, fall, values, explanation
    slopes = [slope(run.generations, run.values) for run in runs if len(run.values) > 1]
    values = {"runs": [run.data() for run in runs], "slopes": slopes}
    if len(slopes) < len(runs):
        return 1.0, 1.0, values, f"{runs[0].unit}: fewer than two generations"
    mean = combine([Estimate(value, 0.0) for value in slopes])
    # All lineages by themselves: true by chance in LEVEL to the power of their number.
    rise = min(mean.p_above(), max(p_of_rise(run.values) for run in runs))
    fall = min(mean.p_below(), max(p_of_fall(run.values) for run in runs))
    listed = ", ".join(f"{value:+.3g}" for value in slopes)
    return rise, fall, values, f"{runs[0].unit}: {mean} per generation (slopes {listed})"


def _change(run, count):
    total, error = change(run.values)
    if count == 1:
        return Estimate(total, error, len(run.values) - 2)
    span = run.generations[-1] - run.generations[0]
    return Estimate(slope(run.generations, run.values) * span, 0.0)


def _difference(run, first, then):
    """The value at the index `then` minus that at `first`, errors independent."""
    error = math.hypot(run.errors[first], run.errors[then]) if run.errors else 0.0
    return Estimate(run.values[then] - run.values[first], error)


def _name(runs):
    return f"slopes of {len(runs)} seeds, t" if len(runs) > 1 else "trend against random walks"


def _weak(runs, found):
    return MORE_SEEDS if found == OPEN and len(runs) == 1 else ""


def _ends(series):
    if not series.values:
        return f"no {series.unit}"
    ends = [f"{series.values[i]:.4g} (gen{series.generations[i]})" for i in (0, -1)]
    return f"{series.unit} from {' to '.join(ends)}"
