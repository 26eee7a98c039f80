"""Series: a measurement by generation, which the tests take. A `run` is one lineage's."""

from collections.abc import Callable
from statistics import fmean
from typing import NamedTuple


class Series(NamedTuple):
    """A measurement of several generations; `errors` are standard errors or None.

    `unit` is its name in sentences.
    """

    unit: str
    generations: list[int]
    values: list[float]
    errors: list[float] | None = None

    def where(self, condition: Callable[[int], bool]) -> "Series":
        """The generations n for which `condition(n)` is true."""
        kept = [i for i, n in enumerate(self.generations) if condition(n)]
        fields = (self.generations, self.values, self.errors)
        return Series(self.unit, *(field and [field[i] for i in kept] for field in fields))

    def minus(self, other: "Series") -> "Series":
        """The differences in the generations that both have, without errors."""
        shared = set(self.generations) & set(other.generations)
        first, second = (series.where(lambda n: n in shared) for series in (self, other))
        values = [a - b for a, b in zip(first.values, second.values, strict=True)]
        return Series(f"{self.unit} minus {other.unit}", first.generations, values)

    def data(self) -> dict:
        """Generations and values, as findings.json holds them."""
        return {"generations": self.generations, "values": self.values}


def mean_series(runs: list[Series]) -> Series:
    """The mean of several runs in the generations that all have, without errors; of one, that one."""
    if len(runs) == 1:
        return runs[0]
    shared = set.intersection(*(set(run.generations) for run in runs))
    kept = [run.where(lambda n: n in shared) for run in runs]
    columns = list(zip(*(run.values for run in kept), strict=True))
    return Series(kept[0].unit, kept[0].generations, list(map(fmean, columns)))
