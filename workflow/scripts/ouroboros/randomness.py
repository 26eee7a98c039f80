"""Seeds and random streams, each for one purpose and independent of the order of execution.

A stream is numpy's Philox, a counter-based generator: each sequence of a generation has its own, so
that batch sizes, shards and the number of machines do not change what is drawn.
"""

import numpy as np

PURPOSES = ("weights", "order", "sampling", "split", "completions", "recipe")


def seed_for(seed: int, generation: int, purpose: str) -> int:
    """A 63-bit seed for one purpose (of PURPOSES) in one generation of a lineage with this `seed`."""
    words = np.random.SeedSequence([seed, generation, PURPOSES.index(purpose)]).generate_state(2)
    return (int(words[0]) << 31) ^ int(words[1])


def permutation(key: int, epoch: int, count: int) -> np.ndarray:
    """Random order of `count` items in one epoch: int64, shape (count,)."""
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, epoch])).permutation(
        count
    )


def uniforms(key: int, indices, length: int) -> np.ndarray:
    """Uniform random numbers in [0, 1) of 53 bits: float64, shape (len(indices), length).

    Row r depends on `key` and `indices[r]` alone; its first k numbers do not depend on `length`.
    """
    rows = np.empty((len(indices), length))
    for row, index in zip(rows, indices, strict=True):
        np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, index])).random(out=row)
    return rows
