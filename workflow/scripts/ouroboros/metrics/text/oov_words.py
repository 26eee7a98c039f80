"""Words of a tokenised corpus, and those outside a lexicon (paper 5.3.2), counted exactly at 6e8 tokens.

A word is a maximal run, inside one sequence, of a token that is letters only, optionally after one
leading space, and the tokens after it that are letters only with no leading space.
"""

from collections.abc import Iterable

import numpy as np
from tokenizers import Tokenizer

from ouroboros.data.tokenizer import byte_alphabet, vocabulary_size
from ouroboros.metrics.text.lexicon import lower_cased

OTHER, BEGINS, CONTINUES = 0, 1, 2  # a token: no letters, " letters", "letters"
LISTED = 20  # how many of the most frequent words are listed


def token_texts(tokenizer: Tokenizer) -> list[bytes | None]:
    """The bytes of every token id of a byte-level BPE; None for special tokens and missing ids."""
    alphabet = byte_alphabet()
    added = tokenizer.get_added_tokens_decoder()
    texts = [None] * vocabulary_size(tokenizer)
    for token, index in tokenizer.get_vocab(with_added_tokens=True).items():
        if index not in added:
            texts[index] = bytes(alphabet[character] for character in token)
        elif not added[index].special:  # stands in the vocabulary as plain text
            texts[index] = token.encode()
    return texts


class WordCounter:
    """Counts the words of sequences, and how often each word of two or more tokens occurs.

    With `one_token`, how often each word of one token occurs too; for the paper these are never OOV.

    What grows is the number of distinct words of two or more tokens: each takes its text's bytes
    and 8 more, up to twice that while counting. Real text has some 1e5 of them; 6e8 tokens drawn
    evenly from GPT-2's vocabulary have 1e8.
    """

    def __init__(self, tokenizer: Tokenizer, one_token: bool = False):
        self.kinds, self.letters = _letters(token_texts(tokenizer))
        self.alone = np.zeros(len(self.kinds), np.int64) if one_token else None
        self.words = 0
        self.texts = _TextCounts()

    def add(self, rows: np.ndarray):
        """Count the words of sequences: token ids (rows, length)."""
        kinds = self.kinds[rows]
        continues = kinds == CONTINUES
        # A token that would continue a word begins one where there is none before it.
        continues[:, 1:] &= kinds[:, :-1] != OTHER
        continues[:, :1] = False
        self.words += int(np.count_nonzero(kinds) - np.count_nonzero(continues))
        inside = continues.copy()  # of a word of two or more tokens
        inside[:, :-1] |= continues[:, 1:]
        tokens, begins = rows[inside], ~continues[inside]
        if len(tokens):
            self.texts.add(*self.letters.join(tokens, np.flatnonzero(begins)))
        if self.alone is not None:
            # Counting all, and then taking off the few others, is quicker than picking these out.
            self.alone += np.bincount(rows.reshape(-1), minlength=len(self.alone))
            self.alone -= np.bincount(tokens, minlength=len(self.alone))

    def oov(self, lexicon: Iterable[str]) -> dict:
        """Counts of the words that are not in `lexicon` (lower-cased words), of one token where asked for.

        Returns `words` (all of them, those of one token too), `oov_words` (occurrences),
        `distinct_oov_words`, `oov_share` (occurrences / words; None where there are no words) and
        `most_frequent_oov_words`: [word, count], most frequent first, then alphabetically.
        """
        self._add_alone()
        known = _by_length([word.encode() for word in lexicon])
        occurrences, distinct, listed = 0, 0, []
        for length, texts, counts in self.texts.totals():
            unknown = ~_found(texts, known.get(length, texts[:0]))
            texts, counts = texts[unknown], counts[unknown]
            occurrences += int(counts.sum())
            distinct += len(texts)
            top = np.argsort(-counts, kind="stable")[:LISTED]
            listed += [[texts[i].decode(), int(counts[i])] for i in top]
        listed.sort(key=lambda entry: (-entry[1], entry[0]))
        return {
            "words": self.words,
            "oov_words": occurrences,
            "distinct_oov_words": distinct,
            "oov_share": occurrences / self.words if self.words else None,
            "most_frequent_oov_words": listed[:LISTED],
        }

    def _add_alone(self):
        """Hand the words of one token that were counted so far to the texts."""
        if self.alone is not None:
            ids = np.flatnonzero((self.alone > 0) & (self.kinds != OTHER))
            if len(ids):
                self.texts.add(*self.letters.join(ids, np.arange(len(ids))), self.alone[ids])
            self.alone[:] = 0


class _Letters:
    """The lower-cased letters of all token ids, concatenated, as UTF-8."""

    def __init__(self, texts: list[bytes]):
        self.lengths = np.array([len(text) for text in texts])
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.flat = np.frombuffer(b"".join(texts), np.uint8)

    def join(self, tokens, begins):
        """The texts of words: the tokens of all words, concatenated, word i from `begins[i]` on.

        Returns the letters of all words, concatenated (uint8), and the words' lengths in bytes.
        """
        lengths = self.lengths[tokens]
        ends = np.cumsum(lengths)
        source = np.repeat(self.starts[tokens] - (ends - lengths), lengths)
        source += np.arange(len(source))
        return self.flat[source], np.add.reduceat(lengths, begins)


class _TextCounts:
    """Counts of texts: for every length in bytes, the texts in order and their counts."""

    MERGE_AT = 1 << 16  # texts of a length that wait before they are merged

    def __init__(self):
        self.merged = {}  # length -> (texts, counts)
        self.waiting = {}  # length -> list of (texts, counts)

    def add(self, letters, lengths, counts=None):
        """Count texts, concatenated in `letters`, `lengths` bytes each, once or `counts` times."""
        counts = np.ones(len(lengths), np.int64) if counts is None else counts
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(lengths, kind="stable")
        for same in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
            length = int(lengths[same[0]])
            texts = letters[starts[same, None] + np.arange(length)].view(f"S{length}")[:, 0]
            self._wait(length, _sum([(texts, counts[same])]))

    def totals(self):
        """Yield (length, texts in order, counts) for every length."""
        for length in sorted(self.waiting):
            yield length, *self._merge(length)

    def _wait(self, length, counted):
        waiting = self.waiting.setdefault(length, [])
        waiting.append(counted)
        # Merging as rarely as the merged grow keeps the whole count near linear.
        most = max(self.MERGE_AT, len(self.merged.get(length, [[]])[0]) // 2)
        if sum(len(texts) for texts, _ in waiting) > most:
            self._merge(length)

    def _merge(self, length):
        parts = [self.merged.pop(length)] if length in self.merged else []
        self.merged[length] = _sum(parts + self.waiting[length])
        self.waiting[length] = []
        return self.merged[length]


def _sum(parts):
    """One (texts in order, counts) of several, the counts of equal texts added."""
    texts, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.argsort(texts, kind="stable")  # quick on parts that are in order themselves
    texts = texts[order]
    firsts = np.flatnonzero(np.append(True, texts[1:] != texts[:-1]))
    return texts[firsts], np.add.reduceat(counts[order], firsts)


def _found(texts, known):
    """True for each of `texts` (in order, distinct) that is in `known`: bool (texts,)."""
    found = np.zeros(len(texts), bool)
    places = np.searchsorted(texts, known)
    inside = places < len(texts)
    places, known = places[inside], known[inside]
    found[places[texts[places] == known]] = True
    return found


def _by_length(words):
    groups = {}
    for word in words:
        groups.setdefault(len(word), []).append(word)
    return {length: np.array(group, f"S{length}") for length, group in groups.items()}


def _letters(texts):
    """Every token id's kind, and its letters in lower case (empty where it has none)."""
    kinds, letters = np.zeros(len(texts), np.uint8), [b""] * len(texts)
    for index, text in enumerate(texts):
        text = (text or b"").decode(errors="replace")  # the replacement character is no letter
        word = text.removeprefix(" ")
        if word.isalpha():
            kinds[index] = CONTINUES if word == text else BEGINS
            letters[index] = lower_cased(word).encode()
    return kinds, _Letters(letters)
