"""A ratio of sums, and its standard error."""

import math

import numpy as np


def ratio(sums: np.ndarray, counts: np.ndarray) -> tuple[float, float | None]:
    """Sum of `sums` over sum of `counts`, and its standard error; None for a single unit.

    An entry of each, (units,), belongs to a unit that was sampled as a whole (a story with its tokens,
    a beginning with its completions), since what is inside a unit is not independent.
    """
    units, total = len(sums), int(counts.sum())
    mean = sums.sum() / total
    if units == 1:
        return float(mean), None
    spread = ((sums - mean * counts) ** 2).sum() * units / (units - 1)
    return float(mean), math.sqrt(spread) / total
