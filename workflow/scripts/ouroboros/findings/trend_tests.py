"""Tests of a series for a trend over the generations; each returns an `outcome`."""

import math

from ouroboros.findings.series import Series
from ouroboros.findings.statistics import (
    critical_z,
    mann_kendall,
    sen_slope,
    sign_test,
    tau_deviation,
)
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, LEVEL, OPEN, outcome

MODERATE = 0.5  # there is no trend if the data rule out a tau as large as this


def trend(series: Series, direction: int) -> dict:
    """Test that the values rise (`direction` 1) or fall (-1): Mann-Kendall test.

    Contradicted by a significant trend the other way, or if a tau of 0.5 in this direction is ruled
    out, which takes enough generations.
    """
    s, tau, p_value = mann_kendall(series.values)
    n = len(series.values)
    towards = direction * tau
    verdict = OPEN
    if p_value < LEVEL:
        verdict = CONFIRMED if towards > 0 else CONTRADICTED
    elif _tau_limit(n) and towards <= _tau_limit(n):
        verdict = CONTRADICTED
    values = {**series.data(), "s": s, "tau": tau}
    explanation = f"{_ends(series)}, tau {tau:.2f} (p {p_value:.2g}, n {n})"
    if n > 1:
        values["sen_slope"] = sen_slope(series.generations, series.values)
        explanation += f", {values['sen_slope']:+.3g} per generation"
    if verdict == OPEN and (least := mann_kendall(list(range(n))).p_value) >= LEVEL:
        explanation += f"; {n} generations cannot give p < {LEVEL} (the least is {least:.2g})"
    return outcome("Mann-Kendall", values, p_value, verdict, explanation)


def rises_always(series: Series) -> dict:
    """Test that the values rise from every generation to the next: Mann-Kendall, no significant fall.

    A fall is tested as a difference of independent values, one-sided, with the level of significance
    for all steps together (Bonferroni). The values are measured on the same stories, so that they
    correlate and the test is conservative.
    """
    result = trend(series, 1)
    steps = list(zip(series.values, series.values[1:], strict=False))
    falls = sum(after < before for before, after in steps)
    significant = 0
    if series.errors and steps:
        errors = zip(series.errors, series.errors[1:], strict=False)
        limit = critical_z(LEVEL, len(steps))
        significant = sum(
            before - after > limit * math.hypot(*error)
            for (before, after), error in zip(steps, errors, strict=True)
        )
    result["values"] |= {"steps": len(steps), "falls": falls, "significant_falls": significant}
    result["statistic"] += ", falls between neighbours"
    result["explanation"] += f"; {falls} of {len(steps)} steps fall, {significant} significantly"
    if significant:
        result["verdict"] = CONTRADICTED
    return result


def rises_then_falls(series: Series, paper_last: int) -> dict:
    """Test that the values rise to a peak and fall after it: a Mann-Kendall test of each side.

    Both must be significant: p is the larger of the two. The peak itself, chosen by the data, is in
    neither, so that without a trend every order of a side is equally likely. Contradicted if a side
    is, if the values fall from the first on, or if they still rise at `paper_last` or later.
    """
    peak = series.generations[series.values.index(max(series.values))]
    if peak == series.generations[0]:
        result = trend(series, -1)
        result["verdict"] = OPEN if result["verdict"] == OPEN else CONTRADICTED
        result["explanation"] = f"the first generation is the highest: {result['explanation']}"
        return result
    rise = trend(series.where(lambda n: n < peak), 1)
    fall = trend(series.where(lambda n: n > peak), -1)
    verdicts = {rise["verdict"], fall["verdict"]}
    verdict = OPEN
    if verdicts == {CONFIRMED}:
        verdict = CONFIRMED
    elif CONTRADICTED in verdicts:
        verdict = CONTRADICTED
    elif series.generations[-1] == peak >= paper_last and rise["verdict"] == CONFIRMED:
        verdict = CONTRADICTED  # no fall yet at the paper's last generation
    values = {**series.data(), "peak": peak, "rise": rise["values"]["tau"],
              "fall": fall["values"]["tau"]}  # fmt: skip
    explanation = (
        f"the peak is generation {peak}; before it: {rise['explanation']}; "
        f"after it: {fall['explanation']}"
    )
    p_value = max(rise["p_value"], fall["p_value"])
    return outcome("Mann-Kendall on either side of the peak", values, p_value, verdict, explanation)


def stays(series: Series, may_fall: bool = False) -> dict:
    """Test that the values have no trend, or with `may_fall` none upwards: Mann-Kendall test.

    Confirmed if a tau of 0.5 is ruled out, which takes enough generations (or by a significant fall).
    """
    result = trend(series, 1)
    limit, tau = _tau_limit(len(series.values)), result["values"]["tau"]
    result["verdict"] = OPEN
    if result["p_value"] < LEVEL:
        result["verdict"] = CONFIRMED if may_fall and tau < 0 else CONTRADICTED
    elif limit and (tau if may_fall else abs(tau)) <= limit:
        result["verdict"] = CONFIRMED
    return result


def above(series: Series, level: float = 0.0) -> dict:
    """Test that the values are above a level in every generation: sign test, none significantly below.

    The latter is tested like a fall in `rises_always`, if the series has errors.
    """
    over = [value - level for value in series.values]
    positive, negative = sum(x > 0 for x in over), sum(x < 0 for x in over)
    p_value = sign_test(positive, negative)
    limit = critical_z(LEVEL, max(1, len(over)))
    below = sum(-x > limit * e for x, e in zip(over, series.errors or [], strict=False))
    verdict = OPEN
    if below or (p_value < LEVEL and negative > positive):
        verdict = CONTRADICTED
    elif p_value < LEVEL:
        verdict = CONFIRMED
    values = {**series.data(), "level": level, "above": positive, "below": negative,
              "significantly_below": below}  # fmt: skip
    explanation = f"{series.unit} is above {level:g} in {positive} of {len(over)} generations (p {p_value:.2g})"
    return outcome("sign test", values, p_value, verdict, explanation)


def _tau_limit(n):
    """The largest tau of n values whose 95% confidence interval excludes 0.5; 0 if n is too small."""
    return max(0.0, MODERATE - critical_z(LEVEL / 2) * tau_deviation(n)) if n > 1 else 0.0


def _ends(series):
    if not series.values:
        return f"no {series.unit}"
    ends = [f"{series.values[i]:.4g} (gen{series.generations[i]})" for i in (0, -1)]
    return f"{series.unit} from {' to '.join(ends)}"
