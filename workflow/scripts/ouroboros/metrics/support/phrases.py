"""The most frequent phrases of a corpus, its modes, and how many of them another one still has."""

import numpy as np

from ouroboros.metrics.text.statistics import ngrams

LENGTH = 4  # tokens of a phrase
LEFT = 0.1  # of its initial frequency, from which on a phrase is still there


def phrases_left(initial: np.ndarray, own: np.ndarray, most: int) -> float | None:
    """The share of the `most` most frequent phrases of the initial corpus that are left.

    `initial`, `own`: tokens (sequences, length). A phrase, LENGTH tokens within a sequence, is left where its
    frequency among all phrases is LEFT times the initial one or more. None where sequences are too short.
    """
    packed = ngrams(np.concatenate([initial, own]), LENGTH)
    if not packed.size:
        return None
    first, then = packed[: len(initial)].reshape(-1), packed[len(initial) :].reshape(-1)
    phrases, counts = np.unique(first, return_counts=True)
    chosen = np.argsort(-counts, kind="stable")[:most]
    own_phrases, own_counts = np.unique(then, return_counts=True)
    places = np.minimum(np.searchsorted(own_phrases, phrases[chosen]), len(own_phrases) - 1)
    again = np.where(own_phrases[places] == phrases[chosen], own_counts[places], 0)
    return float((again / len(then) >= LEFT * counts[chosen] / len(first)).mean())
