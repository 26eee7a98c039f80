"""Verdicts on how a measurement goes over the generations; each a dict made by `judgement`."""

import math

from ouroboros.findings.statistics import (
    critical,
    mann_kendall,
    null_deviation,
    sen_slope,
    sign_test,
)
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, LEVEL, OPEN, Series, judgement

MODERATE = 0.5  # a trend is missing where the data rule out a tau as large as this


def trend(series: Series, direction: int) -> dict:
    """The values rise (`direction` 1) or fall (-1) over the generations: Mann-Kendall test.

    Contradicted by a significant trend the other way, and where there are enough generations to
    rule out a tau of 0.5 in this one.
    """
    s, tau, p_value = mann_kendall(series.values)
    n = len(series.values)
    towards = direction * tau
    verdict = OPEN
    if p_value < LEVEL:
        verdict = CONFIRMED if towards > 0 else CONTRADICTED
    elif _ruled_out(n) and towards <= _ruled_out(n):
        verdict = CONTRADICTED
    values = {**series.measured(), "s": s, "tau": tau}
    said = f"{_from_to(series)}, tau {tau:.2f} (p {p_value:.2g}, n {n})"
    if n > 1:
        values["sen_slope"] = sen_slope(series.generations, series.values)
        said += f", {values['sen_slope']:+.3g} per generation"
    if verdict == OPEN and (least := mann_kendall(list(range(n))).p_value) >= LEVEL:
        said += f"; {n} generations cannot give p < {LEVEL} (the least is {least:.2g})"
    return judgement("Mann-Kendall", values, p_value, verdict, said)


def rises_always(series: Series) -> dict:
    """The values rise from every generation to the next: Mann-Kendall, and no fall of significance.

    A fall is tested as a difference of independent values, one-sided, at the level of significance
    over all steps (Bonferroni). Measured on the same stories they are not independent, which makes
    the test careful.
    """
    judged = trend(series, 1)
    steps = list(zip(series.values, series.values[1:], strict=False))
    falls = sum(after < before for before, after in steps)
    significant = 0
    if series.errors and steps:
        errors = zip(series.errors, series.errors[1:], strict=False)
        limit = critical(LEVEL, len(steps))
        significant = sum(
            before - after > limit * math.hypot(*error)
            for (before, after), error in zip(steps, errors, strict=True)
        )
    judged["values"] |= {"steps": len(steps), "falls": falls, "significant_falls": significant}
    judged["statistic"] += ", falls between neighbours"
    judged["explanation"] += f"; {falls} of {len(steps)} steps fall, {significant} significantly"
    if significant:
        judged["verdict"] = CONTRADICTED
    return judged


def rises_then_falls(series: Series, paper_last: int) -> dict:
    """Rises up to a peak and falls behind it: two Mann-Kendall tests, the peak in neither.

    Without the peak, which the data chose, each side is in any order alike where there is no trend.
    Both have to be significant: p is the larger one. Contradicted where one of the sides is, where
    the whole series falls from its beginning, and where it still rises at `paper_last` or later.
    """
    peak = series.generations[series.values.index(max(series.values))]
    if peak == series.generations[0]:
        judged = trend(series, -1)
        judged["verdict"] = OPEN if judged["verdict"] == OPEN else CONTRADICTED
        judged["explanation"] = f"the first generation is the highest: {judged['explanation']}"
        return judged
    rise = trend(series.part(lambda n: n < peak), 1)
    fall = trend(series.part(lambda n: n > peak), -1)
    verdicts = {rise["verdict"], fall["verdict"]}
    verdict = OPEN
    if verdicts == {CONFIRMED}:
        verdict = CONFIRMED
    elif CONTRADICTED in verdicts:
        verdict = CONTRADICTED
    elif series.generations[-1] == peak >= paper_last and rise["verdict"] == CONFIRMED:
        verdict = CONTRADICTED  # it has not begun to fall where the paper's ended
    values = {**series.measured(), "peak": peak, "rise": rise["values"]["tau"],
              "fall": fall["values"]["tau"]}  # fmt: skip
    said = (
        f"the peak is generation {peak}; before it: {rise['explanation']}; "
        f"behind it: {fall['explanation']}"
    )
    p_value = max(rise["p_value"], fall["p_value"])
    return judgement("Mann-Kendall on either side of the peak", values, p_value, verdict, said)


def stays(series: Series, may_fall: bool = False) -> dict:
    """The values have no trend (or none upwards, where they `may_fall`): Mann-Kendall test.

    Confirmed where there are enough generations to rule out a tau of 0.5 (or by a significant fall).
    """
    judged = trend(series, 1)
    limit, tau = _ruled_out(len(series.values)), judged["values"]["tau"]
    judged["verdict"] = OPEN
    if judged["p_value"] < LEVEL:
        judged["verdict"] = CONFIRMED if may_fall and tau < 0 else CONTRADICTED
    elif limit and (tau if may_fall else abs(tau)) <= limit:
        judged["verdict"] = CONFIRMED
    return judged


def above(series: Series, level: float = 0.0) -> dict:
    """The values are above a level in every generation: sign test, and none significantly below.

    Below is tested like a fall in `rises_always`, where the series has errors.
    """
    over = [value - level for value in series.values]
    positive, negative = sum(x > 0 for x in over), sum(x < 0 for x in over)
    p_value = sign_test(positive, negative)
    limit = critical(LEVEL, max(1, len(over)))
    below = sum(-x > limit * e for x, e in zip(over, series.errors or [], strict=False))
    verdict = OPEN
    if below or (p_value < LEVEL and negative > positive):
        verdict = CONTRADICTED
    elif p_value < LEVEL:
        verdict = CONFIRMED
    values = {**series.measured(), "level": level, "above": positive, "below": negative,
              "significantly_below": below}  # fmt: skip
    said = f"{series.unit} is above {level:g} in {positive} of {len(over)} generations (p {p_value:.2g})"
    return judgement("sign test", values, p_value, verdict, said)


def _ruled_out(n):
    """The largest tau whose interval of confidence leaves 0.5 out; 0 where n is too small for one."""
    return max(0.0, MODERATE - critical(LEVEL / 2) * null_deviation(n)) if n > 1 else 0.0


def _from_to(series):
    if not series.values:
        return f"no {series.unit}"
    ends = [f"{series.values[i]:.4g} (gen{series.generations[i]})" for i in (0, -1)]
    return f"{series.unit} from {' to '.join(ends)}"
