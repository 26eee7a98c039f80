"""Regimes, which say what a generation trains on: a module per regime, and its name is the regime's.

C_0 is the initial corpus, C_k the corpus that generation k sampled. A regime has
- a docstring whose first line says what generation n trains on,
- `parts(n, size, **settings)`: the parts of generation n's training corpus. `size(k)` is the number of
  sequences of C_k, for k < n. Which generations it draws from does not depend on sizes.
- `SETTINGS`, where it has any: the JSON schema of each, with a default,
- `check(where, lineage, settings)`, where not every combination makes sense: raise UserError,
- `QUIRKS`, true for the one whose corpora are sampled and learnt as in the authors' code,
- `MARK`, where it trains on more than C_{n-1}: what the schematic writes below the text of generation
  n-1, from generation 2 on.

Generation 1 trains on all of C_0 in every regime but growth, so that all begin alike.
"""

from collections.abc import Callable
from fractions import Fraction
from types import ModuleType
from typing import NamedTuple

from ouroboros.pipeline.paths import parse

RESERVE = -1  # as a source: the real text beyond C_0 (see `initial_sequences` of a lineage)


class Part(NamedTuple):
    """Sequences of a training corpus: `count` of the corpora `sources` together, or all of them (None).

    Drawn without replacement, anew for each generation; or where `start` is given, the `count` sequences
    from there on, of the source's own random order.
    """

    sources: list[int]
    count: int | None = None
    start: int | None = None


def share(of: int, part: float) -> int:
    """A share of a number of sequences, rounded half up; exact for shares as written in decimals."""
    return int(of * Fraction(str(part)) + Fraction(1, 2))


def sources(regime: ModuleType, n: int, settings: dict) -> list[int]:
    """The generations whose corpora generation n trains on, in order."""
    return sorted({k for part in _any_size(regime, n, settings) for k in part.sources})


def draws(regime: ModuleType, n: int, settings: dict) -> bool:
    """Tell whether generation n trains on less than all of its sources."""
    return any(part.count is not None for part in _any_size(regime, n, settings))


def trained_sequences(regime: ModuleType, n: int, size: Callable, settings: dict) -> int:
    """The number of sequences that generation n trains on; `size`: as a regime's `parts` takes it."""
    return sum(
        sum(map(size, part.sources)) if part.count is None else part.count
        for part in regime.parts(n, size, **settings)
    )


def by_source(shards: list[str]) -> dict[int, list[str]]:
    """The shards of each source, by their paths."""
    found = {}
    for path in shards:
        kind, of = parse(path)
        source = RESERVE if kind == "SEQUENCES" else int(of["lm"].removeprefix("gen"))
        found.setdefault(source, []).append(path)
    return found


def _any_size(regime, n, settings) -> list[Part]:
    return regime.parts(n, lambda k: 1 << 40, **settings)
