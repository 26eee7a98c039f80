"""The statistics of a corpus: against arithmetic by hand, and against plain code on random rows."""

import json
import math

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from ouroboros.data.corpus import Corpus
from ouroboros.data.tokenizer import END_OF_TEXT
from ouroboros.errors import UserError
from ouroboros.metrics.text.statistics import (
    complete_stories,
    distinct_n,
    distinct_per_row,
    entropy,
    entropy_error,
    ngrams,
    story_length,
    text_statistics,
    top_token_share,
)

TOKENS = [END_OF_TEXT, "ĠLily", "Ġhe", "lp", "it", ".", "Ã"]
# Lily helpit.<|endoftext|> Lily., and Lily. Lily. Lily. Lily.
ROWS = np.array([[1, 2, 3, 4, 5, 0, 1, 5], [1, 5, 1, 5, 1, 5, 1, 5]], np.uint16)


@pytest.fixture
def tokenizer():
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(TOKENS)}, []))
    tokenizer.add_special_tokens([END_OF_TEXT])
    return tokenizer


def statistics(parts, tokenizer, lexicon, distinct_sequences, end_of_text=0, previous=None):
    """Of a corpus in parts: rows that were sampled, each after the empty context, end-of-text."""
    previous = end_of_text if previous is None else previous
    corpus = [Corpus(rows, np.full(len(rows), previous, np.uint16)) for rows in parts]
    return text_statistics(corpus, tokenizer, end_of_text, lexicon, distinct_sequences)


def random_rows(tokens, shape, seed=0):
    return np.random.default_rng(seed).integers(0, tokens, shape).astype(np.uint16)


def naive_ngrams(row, order):
    return [tuple(row[i : i + order]) for i in range(len(row) - order + 1)]


def test_every_statistic_of_two_rows_by_hand(tokenizer):
    result = statistics([ROWS], tokenizer, {"help"}, 10)
    assert result == {
        # Lily and . 6 times each, end-of-text, he, lp, it once each: 16 tokens
        "entropy": pytest.approx(2 * 6 / 16 * math.log(16 / 6) + 4 * 1 / 16 * math.log(16)),
        "entropy_error": pytest.approx(two_rows_error()),
        "tokens": 16,
        "sequences": 2,
        "distinct_tokens": 6,
        "top_token_share": {"1": 6 / 16, "10": 1.0, "100": 1.0},
        # as frequent ones by token id
        "most_frequent_tokens": [
            [" Lily", 6 / 16], [".", 6 / 16], [END_OF_TEXT, 1 / 16], [" he", 1 / 16],
            ["lp", 1 / 16], ["it", 1 / 16],
        ],
        "words": 7,  # Lily 6 times, helpit
        "oov_words": 1,
        "distinct_oov_words": 1,
        "oov_share": 1 / 7,
        "most_frequent_oov_words": [["helpit", 1]],
        # Row 1 has 7 pairs, 6 triples, 5 quadruples, all different; row 2 has two different ones
        # of each, of which row 1 has only the pair "Lily .": 7+1 of 14, 6+2 of 12, 5+2 of 10.
        "distinct_n": {"1": 6 / 16, "2": 8 / 14, "3": 8 / 12, "4": 7 / 10},
        "distinct_sequences": 2,
        # row 1: 1 - 5/5, row 2: 1 - 2/5; their mean
        "rep_4": pytest.approx(0.3),
        # only row 1's first story ends: Lily he lp it .
        "story_length": {"complete_stories": 1, "mean": 5.0, "p10": 5, "p50": 5, "p90": 5},
        "end_of_text_share": 1 / 16,
    }  # fmt: skip


def two_rows_error():
    """Each row is a part of 8 tokens: the deviation of two mean surprisals, over the root of 2."""
    frequent, rare = math.log(16 / 6), math.log(16)
    lily_and_dot = [int(np.isin(row, [1, 5]).sum()) for row in ROWS]
    means = [(n * frequent + (8 - n) * rare) / 8 for n in lily_and_dot]
    return np.std(means, ddof=1) / math.sqrt(2)


def test_the_error_of_entropy_is_its_deviation_over_corpora():
    """Of corpora of 640 sequences whose tokens depend on each other within a sequence."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(200):
        topics = rng.integers(0, 3, (640, 1))  # of a sequence, which decides its tokens
        tokens = 10 * topics + rng.integers(0, 4 + 6 * (topics == 0), (640, 20))
        parts = np.stack([np.bincount(tokens[k::64].reshape(-1), minlength=30) for k in range(64)])
        found.append((entropy(parts.sum(0)), entropy_error(parts)))
    entropies, errors = np.array(found).T
    assert errors.mean() == pytest.approx(entropies.std(ddof=1), rel=0.15)
    assert entropy_error(parts[:1]) is None


def test_result_is_plain_json(tokenizer):
    result = statistics([ROWS], tokenizer, [], 10)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_blocks_do_not_matter(tokenizer, monkeypatch):
    rows = random_rows(7, (50, 9))
    whole = statistics([rows], tokenizer, {"help"}, 30)
    assert statistics([rows[:13], rows[13:13], rows[13:]], tokenizer, {"help"}, 30) == whole
    monkeypatch.setattr("ouroboros.metrics.text.statistics.PIECE", 20)  # two rows at a time
    assert statistics(iter([rows]), tokenizer, {"help"}, 30) == whole


def test_entropy_by_hand():
    # 1/2 ln 2 + 1/4 ln 4 + 1/4 ln 4 = 3/2 ln 2
    assert entropy(np.array([2, 0, 1, 1])) == pytest.approx(1.5 * math.log(2))
    assert entropy(np.full(50_257, 3)) == pytest.approx(math.log(50_257))
    # one token only: zero, without a sign
    assert str(entropy(np.array([0, 9]))) == "0.0"


def test_top_token_share_by_hand():
    # 30 of 139 tokens are the most frequent one, 30 + 9 the ten, 30 + 99 the hundred most frequent
    frequencies = np.array([1] * 109 + [30])
    assert top_token_share(frequencies) == {"1": 30 / 139, "10": 39 / 139, "100": 129 / 139}


def test_twenty_tokens_are_listed_even_those_that_are_no_text(tokenizer):
    tokenizer = Tokenizer(models.BPE({**tokenizer.get_vocab(), "Ġlast": 36}, []))
    rows = np.arange(6, 36, dtype=np.uint16)[None]  # part of a character, and ids without a token
    listed = statistics([rows], tokenizer, [], 1)["most_frequent_tokens"]
    assert listed == 20 * [["�", 1 / 30]]


@pytest.mark.parametrize("tokens", [2, 3, 30])
def test_repetition_against_plain_code(tokens):
    rows = random_rows(tokens, (40, 23))
    shares = [1 - len(set(naive_ngrams(row, 4))) / 20 for row in rows.tolist()]
    packed = ngrams(rows, 4)
    assert 1 - distinct_per_row(packed) / packed.size == pytest.approx(np.mean(shares))


@pytest.mark.parametrize(
    "ids",
    [
        np.array([0, 1, 2, 32_768, 65_535], np.uint16),
        np.array([0, 1, 65_535, 65_536, 2**32 - 1], np.uint32),
    ],
)
def test_ngrams_tell_the_largest_ids_apart(ids):
    rows = ids[random_rows(5, (50, 40))]
    for order in (1, 2, 3, 4):
        expected = {gram for row in rows.tolist() for gram in naive_ngrams(row, order)}
        assert len(np.unique(ngrams(rows, order))) == len(expected)


def test_distinct_n_against_plain_code():
    rows = random_rows(5, (30, 11))
    for order in (1, 2, 3, 4):
        found = [gram for row in rows.tolist() for gram in naive_ngrams(row, order)]
        assert distinct_n(rows)[str(order)] == len(set(found)) / len(found)


def test_distinct_n_looks_at_the_first_rows_only(tokenizer):
    # the first two rows hold token 1 only: 1 of 8; with the third 5 of 12
    rows = np.array([4 * [1], 4 * [1], [2, 3, 4, 5], 4 * [6], [6, 6, 6, 0]], np.uint16)
    for parts in ([rows], [rows[:1], rows[1:3], rows[3:]]):
        for count, share in ((2, 1 / 8), (3, 5 / 12), (9, 7 / 20)):
            result = statistics(parts, tokenizer, [], count)
            assert result["distinct_n"]["1"] == share
            assert (result["distinct_sequences"], result["sequences"]) == (min(count, 5), 5)


def test_complete_stories_by_hand():
    rows = np.array(
        [
            [7, 7, 0, 7, 0, 7],  # 2 tokens, 1 token, and one that does not end
            [7, 7, 7, 7, 7, 0],  # 5 tokens; begins at its own row's start
            [0, 0, 7, 0, 0, 7],  # empty, empty, 1 token, empty
            [7, 7, 7, 7, 7, 7],  # none
            [0, 7, 7, 7, 7, 0],  # empty, 4 tokens
        ],
        np.uint16,
    )
    sampled = np.zeros(5, np.uint16)
    assert sorted(complete_stories(rows, sampled, 0).tolist()) == [1, 1, 2, 4, 5]
    # cut from a stream, the first two rows begin in the middle of a story
    cut = np.array([7, 7, 0, 0, 7], np.uint16)
    assert sorted(complete_stories(rows, cut, 0).tolist()) == [1, 1, 4]


def test_complete_stories_against_plain_code():
    rows = random_rows(6, (200, 31))
    expected = []
    for row in rows.tolist():
        pieces = "".join("|" if token == 3 else "x" for token in row).split("|")
        expected += [len(piece) for piece in pieces[:-1] if piece]
    sampled = np.full(200, 3, np.uint16)
    assert sorted(complete_stories(rows, sampled, 3).tolist()) == sorted(expected)


def test_story_length_by_hand():
    # lengths 1, 1, 2, 4, 5: mean 13/5; 10% of 5 is half a story: 1; half is 2.5: 2; 90% is 4.5: 5
    assert story_length(np.array([0, 2, 1, 0, 1, 1])) == {
        "complete_stories": 5, "mean": 2.6, "p10": 1, "p50": 2, "p90": 5,
    }  # fmt: skip


def test_percentiles_against_numpy():
    for count in (1, 2, 10, 11, 100, 999):
        lengths = random_rows(300, count, seed=count)
        result = story_length(np.bincount(lengths))
        for percent in (10, 50, 90):
            expected = np.quantile(lengths, percent / 100, method="inverted_cdf")
            assert result[f"p{percent}"] == expected


def test_end_of_text_of_other_tokenizers(tokenizer):
    result = statistics([ROWS], tokenizer, [], 10, end_of_text=5)
    assert result["end_of_text_share"] == 6 / 16
    # row 1: Lily he lp it, and <|endoftext|> Lily; row 2: Lily 4 times
    assert result["story_length"]["complete_stories"] == 6
    assert result["story_length"]["mean"] == (4 + 2 + 4 * 1) / 6


def test_rows_too_short_for_an_order_and_without_stories(tokenizer):
    result = statistics([ROWS[:, :3]], tokenizer, [], 10)
    assert result["rep_4"] is None
    # pairs: Lily he, he lp, Lily ., . Lily; triples: Lily he lp, Lily . Lily
    assert result["distinct_n"] == {"1": 4 / 6, "2": 4 / 4, "3": 2 / 2, "4": None}
    assert result["story_length"] == {
        "complete_stories": 0, "mean": None, "p10": None, "p50": None, "p90": None,
    }  # fmt: skip
    assert statistics([ROWS[:, :1]], tokenizer, [], 10)["distinct_n"]["2"] is None


@pytest.mark.parametrize("parts", [[], [ROWS[:0]], [ROWS[:, :0]]])
def test_a_corpus_without_tokens_is_an_error_for_people(tokenizer, parts):
    with pytest.raises(UserError, match="no tokens"):
        statistics(parts, tokenizer, [], 10)
