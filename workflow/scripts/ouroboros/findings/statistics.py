"""Statistics of trends, with p-values that are exact for few points, as generations are."""

import math
from itertools import accumulate, combinations
from statistics import NormalDist, median
from typing import NamedTuple

EXACT_UP_TO = 50  # points; for more, the normal approximation


class Trend(NamedTuple):
    """`s`: pairs that rise minus pairs that fall; `tau`: Kendall's tau-b; `p_value`: two-sided."""

    s: int
    tau: float
    p_value: float


def mann_kendall(values: list[float]) -> Trend:
    """Mann's (1945) test of ordered values for a monotonic trend of any shape.

    Without a trend every order of the values is equally likely, and the number of falling pairs has
    the generating function [n]!/([t1]! [t2]! ...), with t1, t2, ... the sizes of groups of equal
    values and [n]! the q-factorial (MacMahon): p is exact, with ties too. For more than 50 values it
    is the normal approximation's, with the variance for ties of Kendall (1970), section 4.9.

    The test assumes independent values. In a lineage, generation n + 1 starts where n ended: a
    random walk passes for a trend more often than p says.
    """
    pairs = [(later > earlier) - (later < earlier) for earlier, later in combinations(values, 2)]
    s, untied = sum(pairs), sum(map(abs, pairs))
    ties = [values.count(value) for value in set(values)]
    if not untied:
        return Trend(0, 0.0, 1.0)
    p_value = (_exact if len(values) <= EXACT_UP_TO else _approximate)(s, len(values), ties)
    return Trend(s, s / math.sqrt(untied * len(pairs)), p_value)


def _exact(s, n, ties):
    ways = [1]  # ways[i]: orders of the values with i falling pairs
    for size in range(2, n + 1):  # times 1 + q + ... + q^(size - 1)
        sums = list(accumulate(ways + [0] * (size - 1)))
        ways = [high - low for high, low in zip(sums, [0] * size + sums, strict=False)]
    for size in (size for tie in ties for size in range(2, tie + 1)):  # divided by it
        for i in range(1, len(ways)):
            ways[i] -= sum(ways[max(0, i - size + 1) : i])
        ways = ways[: len(ways) - size + 1]
    untied = len(ways) - 1
    extreme = sum(count for i, count in enumerate(ways) if abs(untied - 2 * i) >= abs(s))
    return extreme / sum(ways)


def _approximate(s, n, ties):
    variance = sum(
        t * (t - 1) * (2 * t + 5) * sign for t, sign in [(n, 1), *((t, -1) for t in ties)]
    )
    return two_sided_p(s / math.sqrt(variance / 18))


def sen_slope(times: list[float], values: list[float]) -> float:
    """Median of the slopes between all pairs of points (Sen 1968): units of value per time."""
    points = list(zip(times, values, strict=True))
    return median((b - a) / (t - s) for (s, a), (t, b) in combinations(points, 2))


def sign_test(positive: int, negative: int) -> float:
    """Two-sided exact p-value of these numbers of positive and negative values, if both are as likely."""
    n = positive + negative
    extreme = sum(
        math.comb(n, k) for k in range(n + 1) if abs(2 * k - n) >= abs(positive - negative)
    )
    return extreme / 2**n


def two_sided_p(z: float) -> float:
    """The p-value of a standard normal z."""
    return 2 * NormalDist().cdf(-abs(z))


def one_sided_p(z: float) -> float:
    """The probability that a standard normal value is z or more."""
    return NormalDist().cdf(-z)


def critical_z(alpha: float, tests: int = 1) -> float:
    """The one-sided z of significance level `alpha`, for so many tests together (Bonferroni)."""
    return NormalDist().inv_cdf(1 - alpha / tests)


def tau_deviation(n: int) -> float:
    """Standard deviation of tau of n >= 2 untied values without a trend (Kendall 1970)."""
    return math.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1)))
