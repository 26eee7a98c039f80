"""Statistics of a trend over the generations of one lineage, or of several.

Generations are a chain: each starts where the one before it ended. So a lineage without a trend may
be anything from independent noise to a random walk, and a test that holds for the one alone takes
the other for a trend. Both statistics here are judged by driftless random walks, the worst of them:
with noise that is less dependent they are significant less often.
"""

from functools import cache

import numpy as np
from scipy import stats


def p_of_rise(values: list[float]) -> float:
    """One-sided p-value of a rise of one lineage's values; 1 below three of them.

    Two statistics: the mean step over its standard error (t-test of the steps: exact for a random
    walk with Gaussian steps, whatever the trend's shape), and Kendall's tau, which finds a rise in
    noise that is independent. p is the share of driftless random walks of as many generations in
    which the smaller of the two p-values is as small.
    """
    if len(values) < 3:
        return 1.0
    taus, least = _random_walks(len(values))
    walk = np.asarray([values], float)
    smaller = np.minimum(_p_of_step(walk), _share_above(kendall(walk), taus))[0]
    return (1 + int(np.searchsorted(least, smaller, side="right"))) / (1 + len(least))


def p_of_fall(values: list[float]) -> float:
    """One-sided p-value of a fall: of a rise of the negative values."""
    return p_of_rise([-value for value in values])


def p_of_fall_from_peak(values: list[float]) -> float:
    """p-value of a fall from the highest value to the last, where the data choose the highest.

    The fall over the spread of the steps around their means before and after it; p is the share of
    driftless random walks of as many generations in which that is as large. 1 below three values.
    """
    if len(values) < 3:
        return 1.0
    falls = _falls_of_walks(len(values))
    fall = _falls_from_peak(np.asarray([values], float))[0]
    return float(_share_above(fall, falls))


def kendall(walks: np.ndarray) -> np.ndarray:
    """Kendall's tau of each row with its order, equal values counting half: (rows, n) -> (rows,)."""
    n = walks.shape[1]
    lags = (np.sign(walks[:, lag:] - walks[:, :-lag]).sum(1) for lag in range(1, n))
    return sum(lags) / (n * (n - 1) / 2)


def noise(values: list[float]) -> tuple[float, float]:
    """Deviation of independent noise around a smooth course, and its degrees of freedom; 0 below three values.

    From second differences: each has six times the variance of a value, and a course that bends adds to
    them. Neighbours correlate (-2/3, 1/6), which halves the degrees of freedom.
    """
    if len(values) < 3:
        return 0.0, np.inf
    seconds = np.diff(values, 2)
    return float(np.sqrt((seconds**2).mean() / 6)), len(seconds) / 2


def change(values: list[float]) -> tuple[float, float]:
    """Last value minus first, and its standard error if the steps are independent; n - 2 degrees of freedom."""
    steps = np.diff(values)
    return float(steps.sum()), float(steps.std(ddof=1) * np.sqrt(len(steps)))


def slope(generations: list[int], values: list[float]) -> float:
    """Slope of the least-squares line, units of value per generation."""
    return float(np.polyfit(generations, values, 1)[0])


def _p_of_step(walks):
    steps = np.diff(walks, axis=1)
    mean, error = steps.mean(1), stats.sem(steps, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, mean / error)
    return stats.t.sf(t, steps.shape[1] - 1)


def _share_above(values, simulated):
    """The share of `simulated`, which is in order, that is as large as each of `values`, and not 0."""
    smaller = np.searchsorted(simulated, values - 1e-9, side="left")
    return (1 + len(simulated) - smaller) / (1 + len(simulated))


def _falls_from_peak(walks):
    rows, top, last = np.arange(len(walks)), walks.argmax(1), walks.shape[1] - 1
    rise, fall = (walks[rows, top] - walks[:, end] for end in (0, last))
    # around the mean step of either side; a side without steps has none
    means = rise**2 / np.maximum(top, 1) + fall**2 / np.maximum(last - top, 1)
    squares = (np.diff(walks, axis=1) ** 2).sum(1) - means
    return fall / np.sqrt(np.maximum(squares, 1e-12 * (1 + fall**2)))


@cache
def _random_walks(n):
    """Of driftless Gaussian random walks of n values, in order: their taus, and the smaller p-values."""
    walks = _walks(n)
    tau = kendall(walks)
    taus = np.sort(tau)
    return taus, np.sort(np.minimum(_p_of_step(walks), _share_above(tau, taus)))


@cache
def _falls_of_walks(n):
    return np.sort(_falls_from_peak(_walks(n)))


def _walks(n):
    """Driftless Gaussian random walks: (walks, n); fewer of them where they are long."""
    count = max(2_000, min(20_000, 40_000_000 // n**2))
    return np.random.default_rng(n).standard_normal((count, n)).cumsum(1)
