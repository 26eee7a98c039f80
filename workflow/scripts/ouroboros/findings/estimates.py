"""Estimates: a number with its standard error, of one lineage or of several that differ by their seeds."""

import math
from statistics import fmean, variance
from typing import NamedTuple

from scipy import stats


class Estimate(NamedTuple):
    """A number, its standard error, and the degrees of freedom of that error."""

    value: float
    error: float
    freedom: float = math.inf

    def p_above(self, level: float = 0.0) -> float:
        """The one-sided p-value of the number being above `level`; without an error, 0 or 1."""
        if not self.error:
            return float(self.value <= level)
        return float(stats.t.sf((self.value - level) / self.error, self.freedom))

    def p_below(self, level: float = 0.0) -> float:
        """The one-sided p-value of the number being below `level`."""
        return Estimate(-self.value, self.error, self.freedom).p_above(-level)

    def minus(self, other: "Estimate") -> "Estimate":
        """The difference to an estimate whose error is independent of this one's."""
        return Estimate(self.value - other.value, math.hypot(self.error, other.error))

    def __str__(self):
        return f"{self.value:+.3g} +- {self.error:.2g}"


def combine(runs: list[Estimate]) -> Estimate:
    """The mean of the same number in several lineages; of one, that one.

    Two sources of error are added in quadrature: the spread of the lineages, over the root of their
    number, and the mean of their own errors, which lineages share, being measured on the same
    examples. The degrees of freedom are Welch's and Satterthwaite's.
    """
    if len(runs) == 1:
        return runs[0]
    spread = variance([run.value for run in runs]) / len(runs)
    shared = fmean(run.error for run in runs) ** 2
    freedom = (spread + shared) ** 2 / (spread**2 / (len(runs) - 1)) if spread else math.inf
    return Estimate(fmean(run.value for run in runs), math.sqrt(spread + shared), freedom)
