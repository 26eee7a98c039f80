"""The most frequent beginnings of stories, and what follows them: the contexts of the theory."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ouroboros.data.corpus import Corpus

LONGEST = 4  # tokens of a beginning, at most


class Beginnings(NamedTuple):
    """`contexts`: tuples of tokens. `counts` (contexts, vocabulary): how often a token follows each."""

    contexts: list[tuple[int, ...]]
    counts: np.ndarray


def most_frequent(
    corpus: Callable[[], Iterable[Corpus]], end_of_text: int, vocabulary: int, most: int
) -> Beginnings:
    """The `most` most frequent beginnings of 1 to LONGEST tokens, those of equal count in order of their tokens.

    `corpus` begins to read the sequences anew, some at a time. A beginning counts where the token after it
    stands in the same sequence, be it the end-of-text.
    """
    seen = Counter()
    for part in corpus():
        for stories in _stories(part, end_of_text):
            found, times = np.unique(stories[:, :-1], axis=0, return_counts=True)
            seen.update(dict(zip(map(tuple, found.tolist()), times.tolist(), strict=True)))
    chosen = [context for context, _ in sorted(seen.items(), key=lambda of: (-of[1], of[0]))[:most]]
    counts = np.zeros((len(chosen), vocabulary), np.int64)
    for part in corpus():
        by_length = {stories.shape[1] - 1: stories for stories in _stories(part, end_of_text)}
        for row, context in enumerate(chosen):
            stories = by_length[len(context)]
            own = stories[(stories[:, :-1] == context).all(1), -1]
            counts[row] += np.bincount(own, minlength=vocabulary)
    return Beginnings(chosen, counts)


def _stories(part, end_of_text):
    """For each length, (stories, length + 1): a beginning in which no story ends, and the token after it."""
    stream = np.concatenate([part.previous[:, None], part.tokens], axis=1).astype(np.int64)
    rows, columns = np.nonzero(stream == end_of_text)
    for length in range(1, LONGEST + 1):
        kept = columns + length + 1 < stream.shape[1]
        places = columns[kept, None] + np.arange(1, length + 2)
        stories = stream[rows[kept, None], places]
        yield stories[(stories[:, :-1] != end_of_text).all(1)]
