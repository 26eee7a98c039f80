"""Runs, Zipf's slope and divergence from the initial corpus: by hand, by plain code, by scipy."""

import itertools
import json

import numpy as np
import pytest
from scipy import stats

from ouroboros.data.corpus import Corpus
from ouroboros.metrics.text.divergence import Frequencies, divergence, kullback_leibler, tail
from ouroboros.metrics.text.repetition import PERIODS, Runs, zipf

NOTHING = np.zeros(65_536, np.int64)


def random_rows(tokens, shape, seed=0):
    return np.random.default_rng(seed).integers(0, tokens, shape).astype(np.uint16)


def counts(*values):
    found = NOTHING.copy()
    found[: len(values)] = values
    return found


def runs_of(*blocks, initial=NOTHING):
    runs = Runs(len(NOTHING))
    for rows in blocks:
        runs.add(np.array(rows, np.uint16))
    return runs.result(initial)


def plain_runs(row):
    """Begin, end and period of every run, by trying them all."""
    found = []
    for period in PERIODS:
        begin = 0
        for end in range(period, len(row) + 1):
            if end == len(row) or row[end] != row[end - period]:
                if end - begin >= 2 * period:
                    found.append((begin, end, period))
                begin = end - period + 1
    return found


@pytest.mark.parametrize(
    ("row", "longest", "inside"),
    [
        ([5, 7, 7, 7, 6, 5], {"tokens": 3, "period": 1, "unit": [7]}, 3),
        ([1, 2, 3, 2, 3, 2, 9], {"tokens": 5, "period": 2, "unit": [2, 3]}, 5),
        ([1, 2, 3, 1, 2, 4], {"tokens": 0, "period": None, "unit": []}, 0),  # not twice
        ([1, 2, 3, 1, 2, 3], {"tokens": 6, "period": 3, "unit": [1, 2, 3]}, 6),
        ([0, 0, 0, 0, 0, 0], {"tokens": 6, "period": 1, "unit": [0]}, 6),  # of period 2 and 3, too
        ([4, 4, 5, 4, 4, 5], {"tokens": 6, "period": 3, "unit": [4, 4, 5]}, 6),  # 4 4 counts once
    ],
)
def test_runs_by_hand(row, longest, inside):
    result = runs_of([row])
    assert result["longest_run"] == longest
    assert result["run_share"] == inside / 6 if len(row) == 6 else inside / 7


@pytest.mark.parametrize("tokens", [2, 3, 20])
def test_runs_against_plain_code(tokens):
    rows = random_rows(tokens, (60, 50), seed=tokens)
    rows[3, 5:45] = np.tile(rows[3, 5:13], 5)
    inside, longest = 0, 0
    for row in rows.tolist():
        found = plain_runs(row)
        inside += len({place for begin, end, _ in found for place in range(begin, end)})
        longest = max([longest, *(end - begin for begin, end, _ in found)])
    result = runs_of(rows)
    assert result["run_share"] == inside / rows.size
    assert result["longest_run"]["tokens"] == longest
    assert runs_of(rows[:7], rows[7:8], rows[8:]) == result


def test_no_run_goes_from_one_sequence_into_the_next():
    assert runs_of([[1, 2, 3], [3, 4, 5], [5, 0, 0]])["run_share"] == 2 / 9
    assert runs_of([[0, 0]], [[0, 0]])["longest_run"]["tokens"] == 2


def test_share_of_the_initial_corpus_frequent_tokens():
    # the initial corpus's 100 most frequent tokens are 0 to 99
    initial = counts(*range(300, 0, -1))
    rows = [[7, 7, 7, 99, 99, 100, 100, 100, 100, 3]]
    assert runs_of(rows, initial=initial)["run_head_share"] == 5 / 9
    assert runs_of([[1, 2, 3]], initial=initial)["run_head_share"] is None


def test_sequences_shorter_than_the_periods_and_none():
    assert runs_of([[1], [1]])["run_share"] == 0
    assert runs_of(np.empty((0, 5)))["run_share"] is None


def test_zipf_slope_of_power_laws():
    for exponent in (-1.0, -1.5):
        ideal = np.round(1e15 * np.arange(1, 2001.0) ** exponent).astype(np.int64)
        shuffled = np.random.default_rng(0).permutation(ideal)
        assert zipf(shuffled) == {"slope": pytest.approx(exponent, abs=1e-6), "ranks": [10, 1000]}
    # what lies outside the range does not matter
    ideal[:9], ideal[1000:] = 10**16, 1
    assert zipf(ideal)["slope"] == pytest.approx(-1.5, abs=1e-6)


def test_zipf_slope_against_scipy_and_too_few_ranks():
    few = np.sort(np.random.default_rng(2).integers(1, 9999, 40))[::-1]
    expected = stats.linregress(np.log(np.arange(10, 41)), np.log(few[9:])).slope
    assert zipf(counts(*few)) == {"slope": pytest.approx(expected), "ranks": [10, 40]}
    assert zipf(counts(*few[:10])) == {"slope": None, "ranks": None}


def test_frequencies_against_plain_code():
    check_frequencies(random_rows(30, (50, 12)), 65_536)
    check_frequencies(random_rows(30, (50, 12)).astype(np.uint32), 70_000)


def check_frequencies(rows, vocabulary):
    rows[rows == 7] = vocabulary - 1
    blocks = [Corpus(part, part[:, 0]) for part in (rows[:20], rows[20:20], rows[20:])]
    for limit in (0, 10, 33, 99):
        frequencies = Frequencies.of(blocks, limit, vocabulary)
        expected = {}
        for row in rows[:limit].tolist():
            for pair in itertools.pairwise(row):
                code = pair[0] * vocabulary + pair[1]
                expected[code] = expected.get(code, 0) + 1
        codes, found = frequencies.bigrams
        assert dict(zip(codes.tolist(), found.tolist(), strict=True)) == expected
        assert codes.tolist() == sorted(expected)
        assert np.array_equal(frequencies.tokens, np.bincount(rows.ravel(), minlength=vocabulary))


def test_divergence_by_hand():
    # + 0.5: 1.5, 3.5 of 5 against 3.5, 0.5 of 4; the third, which neither has, plays no part
    p, q = np.array([1, 3, 0]), np.array([3, 0, 0])
    expected = 0.3 * np.log(0.3 / 0.875) + 0.7 * np.log(0.7 / 0.125)
    assert kullback_leibler(p, q) == pytest.approx(expected)
    assert kullback_leibler(p, p) == 0
    assert kullback_leibler(NOTHING, NOTHING) is None  # as the pairs of sequences of one token


def test_divergence_against_scipy(monkeypatch):
    monkeypatch.setattr("ouroboros.metrics.text.divergence.PIECE", 300)
    rng = np.random.default_rng(3)
    p, q = rng.integers(1, 50, 1000), rng.integers(1, 500, 1000)
    assert kullback_leibler(p, q) == pytest.approx(stats.entropy(p + 0.5, q + 0.5))


def test_divergence_of_corpora():
    # initial: 1 2 1, own: 1 2 3; pairs 12, 21 against 12, 23
    corpora = [Frequencies(9, 65_536), Frequencies(9, 65_536)]
    for frequencies, row in zip(corpora, ([1, 2, 1], [1, 2, 3]), strict=True):
        frequencies.add(np.array([row], np.uint16))
    result = divergence(*corpora)
    one, two = np.array([2, 1, 0]), np.array([1, 1, 1])
    assert result["unigram_divergence"] == {
        "lost": kullback_leibler(one, two), "gained": kullback_leibler(two, one),
    }  # fmt: skip
    expected = kullback_leibler(np.array([1, 1, 0]), np.array([1, 0, 1]))
    assert result["bigram_divergence"] == {"lost": expected, "gained": expected}
    assert result["bigrams"] == [2, 2]
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    same = divergence(corpora[0], corpora[0])
    assert same["unigram_divergence"] == same["bigram_divergence"] == {"lost": 0, "gained": 0}


def test_tail_by_hand():
    # 400 tokens; 1% of them are 4: the two of count 1 fit, the one of count 3 does not
    initial = counts(1, 1, 3, 395)
    assert tail(initial, counts(0, 2, 5, 3)) == {
        "largest_count": 2, "tokens": 2, "surviving": 0.5, "initial_mass": 2 / 400, "mass": 0.2,
    }  # fmt: skip
    # three of count 1 and one of count 2 would be 5 of 400; of several alike, none is left out
    assert tail(counts(1, 1, 1, 2, 395), initial)["tokens"] == 3
    assert tail(counts(1, 1, 2, 396), initial)["tokens"] == 3  # 1% exactly
    assert tail(counts(2, 2, 2, 394), initial) == {
        "largest_count": 1, "tokens": 0, "surviving": None, "initial_mass": 0, "mass": 0,
    }  # fmt: skip


def test_a_corpus_keeps_its_own_tail():
    own = counts(*range(1, 2000))
    result = tail(own, own)
    assert result["surviving"] == 1
    assert 0.009 < result["mass"] == result["initial_mass"] <= 0.01
