"""Series: a measurement by generation, which the tests take."""

import math
from collections.abc import Callable
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
        """The differences in the generations that both have; errors as of independent values."""
        shared = set(self.generations) & set(other.generations)
        first, second = (series.where(lambda n: n in shared) for series in (self, other))
        errors = None
        if first.errors and second.errors:
            errors = list(map(math.hypot, first.errors, second.errors))
        values = [a - b for a, b in zip(first.values, second.values, strict=True)]
        return Series(f"{self.unit} minus {other.unit}", first.generations, values, errors)

    def data(self) -> dict:
        """Generations and values, as findings.json holds them."""
        return {"generations": self.generations, "values": self.values}
