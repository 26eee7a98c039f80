"""The most frequent phrases of a corpus, its modes, and how many of them another one still has."""

import numpy as np

from ouroboros.metrics.text.statistics import ngrams

LENGTH = 4  # tokens of a phrase
LEFT = 0.1  # of its initial frequency, from which on a phrase is still there
DRAWS = 200  # of sequences, for the standard error


def phrases_left(
    initial: np.ndarray, own: np.ndarray, most: int
) -> tuple[float, float] | tuple[None, None]:
    """The share of the `most` most frequent phrases of the initial corpus that are left, and its standard error.

    `initial`, `own`: tokens (sequences, length). A phrase, LENGTH tokens within a sequence, is left where its
    frequency among all phrases is LEFT times the initial one or more. The error is that of drawing the
    sequences of `own` (bootstrap). None where sequences are too short.
    """
    packed = ngrams(np.concatenate([initial, own]), LENGTH)
    if not packed.size:
        return None, None
    first, then = packed[: len(initial)], packed[len(initial) :]
    phrases, counts = np.unique(first, return_counts=True)
    chosen = np.argsort(-counts, kind="stable")[:most]
    chosen = chosen[np.argsort(phrases[chosen])]
    phrases, wanted = phrases[chosen], LEFT * counts[chosen] / first.size * then.shape[1]
    places = np.minimum(np.searchsorted(phrases, then), len(phrases) - 1)
    rows, columns = np.nonzero(phrases[places] == then)
    found = np.zeros((len(own), len(phrases)), np.float32)  # of each phrase in each sequence
    np.add.at(found, (rows, places[rows, columns]), 1)
    draws = np.random.default_rng(0).multinomial(len(own), np.full(len(own), 1 / len(own)), DRAWS)
    shares = (draws.astype(np.float32) @ found >= wanted * len(own)).mean(1)
    return float((found.sum(0) >= wanted * len(own)).mean()), float(shares.std(ddof=1))
