"""Divergence of a corpus's tokens and pairs of tokens from the initial corpus's."""

import math
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from ouroboros.data.corpus import Corpus
from ouroboros.metrics.text.repetition import Runs, zipf

RAREST = 0.01  # share of the initial corpus's tokens that its rarest tokens make up
PIECE = 1 << 20  # counts compared together: bounds the working memory
SMOOTHING = 0.5  # added to every count (Krichevsky and Trofimov 1981)


class Frequencies:
    """Counts the tokens of sequences, and the pairs of neighbours inside the first of them.

    Pairs are counted in the first `bigram_sequences` sequences alone, since GPT-2's vocabulary has
    2.5e9 of them: 4 bytes (8 for a vocabulary of more than 65,536 tokens) are kept for each pair that
    occurs, and as much again while counting.
    """

    def __init__(self, bigram_sequences: int, vocabulary_size: int):
        self.tokens = np.zeros(vocabulary_size, np.int64)
        self.vocabulary_size = vocabulary_size
        self.code = np.uint32 if vocabulary_size <= 1 << 16 else np.uint64  # holds any two ids
        self.bigram_sequences = bigram_sequences
        self.wanted = bigram_sequences  # sequences that still go into the pairs
        self.pairs = []

    @classmethod
    def of(
        cls, parts: Iterable[Corpus], bigram_sequences: int, vocabulary_size: int
    ) -> "Frequencies":
        """The frequencies of a corpus, given in parts of sequences of the same length."""
        frequencies = cls(bigram_sequences, vocabulary_size)
        for part in parts:
            frequencies.add(part.tokens)
        return frequencies

    def add(self, rows: np.ndarray):
        """Count sequences: token ids (rows, length)."""
        self.tokens += np.bincount(rows.reshape(-1), minlength=self.vocabulary_size)
        first = rows[: self.wanted]
        self.wanted -= len(first)
        if first.size:
            codes = first[:, :-1].astype(self.code) * self.code(self.vocabulary_size)
            codes += first[:, 1:]
            self.pairs.append(codes.reshape(-1))

    @cached_property
    def bigrams(self) -> tuple[np.ndarray, np.ndarray]:
        """The different pairs in order, as first id x vocabulary + second id, and their counts (uint32).

        Valid after the last `add`.
        """
        every = np.concatenate([np.empty(0, self.code), *self.pairs])
        self.pairs.clear()
        every.sort()
        firsts = np.flatnonzero(_begins(every))
        return every[firsts], np.diff(firsts, append=len(every)).astype(np.uint32)


def drift(own_parts, initial_parts, bigram_sequences: int, vocabulary_size: int) -> dict:
    """Divergence of a corpus from the initial one, and its repetition.

    `own_parts`, `initial_parts`: functions that return an iterator over the corpus's parts.
    """
    own, initial = (
        Frequencies.of(parts(), bigram_sequences, vocabulary_size)
        for parts in (own_parts, initial_parts)
    )
    runs = Runs(vocabulary_size)
    for part in own_parts():
        runs.add(part.tokens)
    return {
        **runs.result(initial.tokens),
        "zipf": zipf(own.tokens),
        **divergence(initial, own),
    }


def divergence(initial: Frequencies, own: Frequencies) -> dict:
    """Kullback-Leibler divergences in nats between two corpora, and the survival of rare tokens.

    `lost`: KL(initial || own), the cost of coding initial text by own frequencies, high where tokens
    were forgotten (the direction that perplexity has). `gained`: KL(own || initial), high where the
    own corpus has what the initial one lacks. Sampling alone makes both positive, by up to about
    K / 2 x (1 / n + 1 / m) for K different n-grams that occur n and m times in all: compare corpora
    of the same size.
    """
    codes = np.concatenate([initial.bigrams[0], own.bigrams[0]])
    codes.sort(kind="stable")  # which merges the two
    codes = codes[_begins(codes)]
    pairs = [_at(codes, *frequencies.bigrams) for frequencies in (initial, own)]
    return {
        "unigram_divergence": _both_ways(initial.tokens, own.tokens),
        "bigram_divergence": _both_ways(*pairs),
        "bigrams": [int(counts.sum()) for counts in pairs],
        "tail": tail(initial.tokens, own.tokens),
    }


def kullback_leibler(p: np.ndarray, q: np.ndarray) -> float | None:
    """KL(p || q) in nats of two arrays of counts, aligned: the sum of p log(p / q).

    Both are smoothed alike: 0.5 is added to the count of all that occurs in either, so that what
    one of them lacks costs much and not infinitely much, and equal counts have divergence 0. None
    where neither counts anything.
    """
    either = (p > 0) | (q > 0)
    if not either.any():
        return None
    p, q = p[either], q[either]
    p_total, q_total = (int(counts.sum()) + SMOOTHING * len(counts) for counts in (p, q))
    total = 0.0
    for start in range(0, len(p), PIECE):
        p_part, q_part = (counts[start : start + PIECE] + SMOOTHING for counts in (p, q))
        total += float(np.sum(p_part * np.log(p_part / q_part)))
    return total / p_total + math.log(q_total / p_total)


def tail(initial: np.ndarray, own: np.ndarray) -> dict:
    """Survival of the initial corpus's rarest tokens in the own corpus.

    They are those with an initial count of 1 to k, for the largest k at which all of them together
    make up 1% of the initial corpus or less. Returns `largest_count` (k), `tokens` (how many
    different ones there are), `surviving` (the share of these that occurs in the own corpus) and
    `initial_mass` and `mass` (the share of all tokens that they make up there and here). The
    shares are None where their denominator is 0.

    `initial`, `own`: how often each token id occurs, int64 (ids,).
    """
    ordered = np.sort(initial[initial > 0])
    allowed = np.searchsorted(np.cumsum(ordered), RAREST * ordered.sum(), side="right")
    # A count that does not fit as a whole is left out: which of its tokens come first is chance.
    largest = int(ordered[allowed] - 1) if allowed < len(ordered) else 0
    rare = (initial > 0) & (initial <= largest)
    count = int(np.count_nonzero(rare))
    return {
        "largest_count": largest,
        "tokens": count,
        "surviving": int(np.count_nonzero(own[rare])) / count if count else None,
        "initial_mass": _share(initial, rare),
        "mass": _share(own, rare),
    }


def _share(frequencies, chosen):
    total = int(frequencies.sum())
    return int(frequencies[chosen].sum()) / total if total else None


def _both_ways(initial, own):
    return {"lost": kullback_leibler(initial, own), "gained": kullback_leibler(own, initial)}


def _at(codes, own_codes, own_counts):
    """The counts of `codes`, of which `own_codes` are a part; both in order."""
    counts = np.zeros(len(codes), np.uint32)
    counts[np.searchsorted(codes, own_codes)] = own_counts
    return counts


def _begins(ordered):
    """True where a value differs from the one before it: bool, as long as `ordered`."""
    begins = np.ones(len(ordered), bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    return begins
