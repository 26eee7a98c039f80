"""Verdicts on statements about generations: what they are made from and what they look like."""

import math
from typing import NamedTuple

CONFIRMED, CONTRADICTED, OPEN = "confirmed", "contradicted", "not enough data"
LEVEL = 0.05  # of significance


class Series(NamedTuple):
    """A measurement of several generations; `errors` are standard errors or None.

    `unit` is what the sentences call it.
    """

    unit: str
    generations: list[int]
    values: list[float]
    errors: list[float] | None = None

    def part(self, chosen) -> "Series":
        """The generations n for which `chosen(n)`."""
        kept = [i for i, n in enumerate(self.generations) if chosen(n)]
        fields = (self.generations, self.values, self.errors)
        return Series(self.unit, *(field and [field[i] for i in kept] for field in fields))

    def minus(self, other: "Series") -> "Series":
        """The differences in the generations that both have; errors as of independent values."""
        shared = set(self.generations) & set(other.generations)
        mine, theirs = (series.part(lambda n: n in shared) for series in (self, other))
        errors = None
        if mine.errors and theirs.errors:
            errors = list(map(math.hypot, mine.errors, theirs.errors))
        values = [a - b for a, b in zip(mine.values, theirs.values, strict=True)]
        return Series(f"{self.unit} minus {other.unit}", mine.generations, values, errors)

    def measured(self) -> dict:
        """What goes into the `values` of a judgement."""
        return {"generations": self.generations, "values": self.values}


def judgement(statistic, values, p_value, verdict, explanation) -> dict:
    """`statistic`: the test's name. `values`: what went into it and came out. `p_value`: None where
    nothing was tested. `explanation`: a sentence for people.
    """
    return {
        "statistic": statistic, "values": values, "p_value": p_value, "verdict": verdict,
        "explanation": explanation,
    }  # fmt: skip
