"""The rest of a distribution: phrases counted by hand, and stories of the grammar against sentences that are not."""

from types import SimpleNamespace

import numpy as np
import pytest
from tools import REPOSITORY

from ouroboros.data.corpus import Corpus, ShardWriter
from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.tokenizer import make_tokenizer, write_tokenizer
from ouroboros.metrics.support.measure import measure, whole_stories
from ouroboros.metrics.support.phrases import phrases_left

GRAMMAR = REPOSITORY / "resources/story_grammar.yaml"


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_a_phrase_is_left_from_a_tenth_of_its_frequency_on(dtype):
    """Two phrases, each half of the initial corpus; of the other corpus, one of them is so many of 100."""
    a, b, other = [1, 2, 3, 4], [1, 2, 3, 5], [9, 9, 9, 9]
    initial = np.array([a, b] * 50, dtype)
    for count, left in ((0, 0.5), (4, 0.5), (5, 1.0)):
        own = np.array([a] * 50 + [b] * count + [other] * (50 - count), dtype)
        assert phrases_left(initial, own, 10)[0] == left
    assert phrases_left(initial[:, :3], initial[:, :3], 10) == (None, None)


def test_only_the_most_frequent_phrases_count():
    initial = np.array([[1, 2, 3, 4]] * 3 + [[5, 6, 7, 8]], np.uint16)
    own = np.array([[1, 2, 3, 4]], np.uint16)
    assert phrases_left(initial, own, 1) == (1.0, 0.0)
    assert phrases_left(initial, own, 2) == (0.5, 0.0)


def test_the_error_of_phrases_is_the_spread_of_other_corpora():
    """Phrases that are in so few sequences that they are left in half of all corpora; in pairs, which are left together."""
    rng = np.random.default_rng(0)
    pairs = np.arange(8 * 20).reshape(20, 8)  # a sequence: two phrases, and what lies across them
    initial = np.repeat(pairs, 50, axis=0)
    chances = np.full(21, 0.005)  # a tenth of the initial frequency is five sequences of 1,000
    chances[20] = 1 - chances[:20].sum()
    rows = np.concatenate([pairs, np.full((1, 8), 999)]).astype(np.uint16)
    found = [
        phrases_left(initial.astype(np.uint16), rows[rng.choice(21, 1000, p=chances)], 100)
        for _ in range(200)
    ]
    shares, errors = map(np.array, zip(*found, strict=True))
    assert errors.mean() == pytest.approx(shares.std(ddof=1), rel=0.2)


def test_stories_that_begin_and_end_in_their_sequence():
    rows = np.array([[1, 2, 0, 3, 0, 0, 4], [5, 6, 0, 7, 8, 0, 9], [1] * 7])
    assert [*whole_stories(Corpus(rows, np.array([0, 4, 0])), 0)] == [[1, 2], [3], [7, 8]]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A function: stories -> support.json of them, as a corpus of one story in a row."""
    folder = tmp_path_factory.mktemp("support")
    grammar = StoryGrammar.from_file(GRAMMAR)
    stories = [grammar.story(0, index).text for index in range(60)]
    tokenizer, end = make_tokenizer({"source": "train", "vocabulary_size": 600}, stories)
    write_tokenizer(tokenizer, "<|endoftext|>", folder / "tokenizer")
    end = tokenizer.token_to_id("<|endoftext|>")

    def write(texts, path):
        rows = np.full((len(texts), 900), end, np.uint16)
        for row, text in zip(rows, texts, strict=True):
            ids = tokenizer.encode(text).ids
            row[: len(ids)] = ids
        with ShardWriter(path, 900, np.uint16) as writer:
            writer.add(rows, end)

    write(stories, folder / "initial.parquet")

    def of(texts, grammar=(GRAMMAR,)):
        write(texts, folder / "own.parquet")
        inputs = SimpleNamespace(
            corpus=[folder / "own.parquet"], initial=[folder / "initial.parquet"],
            tokenizer=folder / "tokenizer", grammar=list(grammar),
        )  # fmt: skip
        return measure(inputs, {"phrases": 100, "sentences": 500}, None, None)

    return of, stories


def test_stories_of_the_grammar_have_no_hallucinated_sentence(measured):
    of, stories = measured
    found = of(stories)
    assert found["hallucinated"] == 0 and found["sentences"] >= 500
    assert found["phrases_left"] == 1


def test_one_sentence_in_each_story_is_found(measured):
    of, stories = measured
    wrong = [f"{story} Zebras eat the moon." for story in stories[:20]]
    found, alone = of(wrong), of(stories[:20])
    assert found["hallucinated"] == pytest.approx(20 / found["sentences"])
    assert found["sentences"] == alone["sentences"] + 20
    assert 0 < found["hallucinated_error"] < 0.05


def test_without_a_grammar_nothing_is_known_of_hallucinations(measured):
    of, stories = measured
    found = of(stories[:3], grammar=())
    assert found["hallucinated"] is None and found["sentences"] == 0
