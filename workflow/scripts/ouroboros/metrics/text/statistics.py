"""Statistics of a corpus: entropy, words outside the lexicon, repetition, story lengths.

One pass over the corpus keeps counts alone, so memory does not grow with its size (but see
`WordCounter`).
"""

from collections.abc import Iterable, Iterator

import numpy as np
from tokenizers import Tokenizer

from ouroboros.data.corpus import Corpus
from ouroboros.data.tokenizer import vocabulary_size
from ouroboros.errors import UserError
from ouroboros.metrics.ppl.ratio import ratio
from ouroboros.metrics.text.oov_words import WordCounter, token_texts

PIECE = 1 << 20  # tokens looked at together: bounds the working memory
LISTED = 20  # how many of the most frequent tokens are listed
SHARES = (1, 10, 100)  # the k of top_token_share
ORDERS = (1, 2, 3, 4)  # the n of distinct_n
PERCENTILES = (10, 50, 90)  # of the story length
PARTS = 64  # that a corpus is dealt into, for the standard error of its entropy


def text_statistics(
    parts: Iterable[Corpus],
    tokenizer: Tokenizer,
    end_of_text: int,
    lexicon: Iterable[str],
    distinct_sequences: int,
) -> dict:
    """The statistics of a corpus, as plain numbers, lists and dicts that JSON can hold.

    `parts`: the corpus in order, in parts of sequences of the same length.
    `lexicon`: lower-cased words. `distinct_sequences`: how many of the first rows distinct_n is
    counted over, since it falls with the size of the text; these rows are held in memory.
    `end_of_text`: the id of the token that ends a story.
    Raises UserError where there are no tokens.
    """
    by_part = np.zeros((PARTS, vocabulary_size(tokenizer)), np.int64)
    story_lengths = np.zeros(1, np.int64)
    words = WordCounter(tokenizer)
    sequences, fourgrams, distinct_fourgrams, first = 0, 0, 0, []
    for rows, previous in pieces(parts):
        for part in range(PARTS):  # sequence i belongs to part i % PARTS
            tokens = rows[(part - sequences) % PARTS :: PARTS].reshape(-1)
            by_part[part] += np.bincount(tokens, minlength=by_part.shape[1])
        # a complete story is shorter than its row
        story_lengths = story_lengths + np.bincount(
            complete_stories(rows, previous, end_of_text), minlength=rows.shape[1]
        )
        words.add(rows)
        packed = ngrams(rows, 4)
        fourgrams += packed.size
        distinct_fourgrams += distinct_per_row(packed)
        if sequences < distinct_sequences:
            first.append(rows[: distinct_sequences - sequences].copy())
        sequences += len(rows)
    frequencies = by_part.sum(0)
    if not frequencies.any():
        raise UserError("The corpus holds no tokens, so its text has no statistics. Remake it.")
    total = int(frequencies.sum())
    return {
        "entropy": entropy(frequencies),
        "entropy_error": entropy_error(by_part),
        "tokens": total,
        "sequences": sequences,
        "distinct_tokens": int(np.count_nonzero(frequencies)),
        "top_token_share": top_token_share(frequencies),
        "most_frequent_tokens": _most_frequent_tokens(frequencies, tokenizer),
        **words.oov(lexicon),
        "distinct_n": distinct_n(np.concatenate(first)),
        "distinct_sequences": sum(map(len, first)),
        # Rows are equally long: the mean of their shares is the share over all of them.
        "rep_4": 1 - distinct_fourgrams / fourgrams if fourgrams else None,
        "story_length": story_length(story_lengths),
        "end_of_text_share": int(frequencies[end_of_text]) / total,
    }


def pieces(parts: Iterable[Corpus]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (tokens, previous tokens) of some sequences at a time."""
    for part in parts:
        step = max(1, PIECE // max(1, part.tokens.shape[1]))
        for start in range(0, len(part), step):
            yield part.tokens[start : start + step], part.previous[start : start + step]


def entropy(frequencies: np.ndarray) -> float:
    """Entropy of the tokens' relative frequencies, in nats per token (paper 5.3.1).

    `frequencies`: how often each token id occurs, int64 (ids,).
    """
    counts = frequencies[frequencies > 0]
    total = counts.sum()
    return float(np.sum(counts / total * np.log(total / counts)))


def entropy_error(by_part: np.ndarray) -> float | None:
    """Standard error of the entropy in nats, with parts of whole sequences as the sampled units.

    To first order in the frequencies the entropy is the mean of -log p over tokens, p their relative
    frequencies (delta method). None where the corpus has fewer than two sequences.

    `by_part`: how often each token id occurs in each part, int64 (parts, ids).
    """
    frequencies = by_part.sum(0)
    by_part = by_part[by_part.any(1)]
    surprisals = np.log(frequencies.sum() / np.maximum(frequencies, 1))
    return ratio(by_part @ surprisals, by_part.sum(1))[1]


def top_token_share(frequencies: np.ndarray) -> dict:
    """Share of all tokens that the k most frequent ones take: the head that a collapse grows."""
    ordered = np.sort(frequencies)[::-1]
    return {str(k): int(ordered[:k].sum()) / int(ordered.sum()) for k in SHARES}


def ngrams(rows: np.ndarray, order: int) -> np.ndarray:
    """Numbers of the n-grams of up to 4 tokens inside rows, equal where these are: uint64.

    Returns (rows, length - n + 1).
    """
    width = max(0, rows.shape[1] - order + 1)
    bits = np.uint64(16 if rows.dtype == np.uint16 else 32)
    packed = np.zeros((len(rows), width), np.uint64)
    for position in range(order):
        if bits > 16 and position > 1:  # to 32 bits: number the different n-grams so far
            packed = (
                np.unique(packed, return_inverse=True)[1].reshape(packed.shape).astype(np.uint64)
            )
        packed = packed << bits | rows[:, position : position + width]
    return packed


def distinct_per_row(packed: np.ndarray) -> int:
    """Number of different n-grams in each row, summed over the rows (Welleck et al. 2020).

    1 minus its ratio to the number of n-grams is seq-rep-n ("Neural text generation with
    unlikelihood training").
    """
    if not packed.size:
        return 0
    ordered = np.sort(packed, axis=1)
    return len(packed) + int(np.count_nonzero(ordered[:, 1:] != ordered[:, :-1]))


def distinct_n(rows: np.ndarray) -> dict:
    """Number of different n-grams over number of n-grams inside rows, for n = 1 to 4.

    Li et al. 2016, "A diversity-promoting objective function for neural conversation models", for
    n = 1 and 2. None for an n that no row is long enough for.
    """
    shares = {}
    for order in ORDERS:
        packed = ngrams(rows, order).reshape(1, -1)
        shares[str(order)] = distinct_per_row(packed) / packed.size if packed.size else None
    return shares


def complete_stories(rows: np.ndarray, previous: np.ndarray, end_of_text: int) -> np.ndarray:
    """Lengths in tokens of the stories that begin and end within a row, end-of-text not counted.

    A story begins after end-of-text (which may be the row's previous token) and ends before it.
    Empty ones, between two end-of-texts, are left out.
    """
    row, column = np.nonzero(np.column_stack([previous, rows]) == end_of_text)
    lengths = np.diff(column)[row[1:] == row[:-1]] - 1
    return lengths[lengths > 0]


def story_length(histogram: np.ndarray) -> dict:
    """Number, mean and percentiles of story lengths; `histogram[n]` stories have n tokens.

    The p-th percentile is the smallest length that p% of the stories do not exceed. None where
    there are no stories.
    """
    count = int(histogram.sum())
    total = int(histogram @ np.arange(len(histogram)))
    reached = 100 * np.cumsum(histogram)
    percentiles = {
        f"p{p}": int(np.searchsorted(reached, p * count)) if count else None for p in PERCENTILES
    }
    return {"complete_stories": count, "mean": total / count if count else None, **percentiles}


def _most_frequent_tokens(frequencies, tokenizer):
    """[text, share], most frequent first, then by token id; bytes that are no text show as �."""
    texts, total = token_texts(tokenizer), int(frequencies.sum())
    top = np.argsort(-frequencies, kind="stable")[:LISTED]
    return [
        [
            tokenizer.id_to_token(token) or "�"
            if texts[token] is None
            else texts[token].decode(errors="replace"),
            int(frequencies[token]) / total,
        ]
        for token in top.tolist()
        if frequencies[token]
    ]
