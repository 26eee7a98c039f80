"""Whole lineages of n-gram models in one process: an oracle for the machinery.

What a lineage's jobs do one by one, by the same functions: draw the training corpus by the regime, count it,
sample the next corpus. Theory knows what comes out (docs/regimes.md).
"""

from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np

from ouroboros.data.corpus import Corpus
from ouroboros.data.recipe import draw
from ouroboros.model.families.ngram.model import Model
from ouroboros.pipeline.regimes import RESERVE
from ouroboros.randomness import seed_for
from ouroboros.sampling.sampler import sample


def lineage(
    regime: ModuleType, settings: dict, initial: Corpus, model: Callable[[], Model], generations: int,
    sequences: int, end_of_text: int, seed: int, real: Corpus | None = None, reserve=(), batch: int = 128,
) -> Iterator[tuple[Model, Corpus]]:  # fmt: skip
    """Yield each generation's model, and the corpus of `sequences` that it samples.

    `model` makes one without counts. `real`: all sequences of the corpus, of which `reserve` are the rows
    beyond `initial`.
    """
    corpora = {0: initial} | ({RESERVE: real} if real is not None else {})
    length = initial.tokens.shape[1]
    for n in range(1, generations + 1):
        sizes = {source: len(corpus) for source, corpus in corpora.items()}
        rows = draw(regime.parts(n, sizes.__getitem__, **settings), sizes, seed, n, reserve)
        tokens = np.concatenate([corpora[source].tokens[own] for source, own in rows.items()])
        previous = np.concatenate([corpora[source].previous[own] for source, own in rows.items()])
        trained = model()
        trained.count(np.concatenate([previous[:, None], tokens[:, :-1]], axis=1), tokens)
        key = seed_for(seed, n, "sampling")
        sampled = sample(trained, key, range(sequences), length, end_of_text, batch)
        tokens = np.concatenate([*sampled])
        corpora[n] = Corpus(tokens, np.full(sequences, end_of_text, tokens.dtype))
        yield trained, corpora[n]
