"""The statistics of a corpus on disk, with the tokenizer it was made with, beside the initial corpus."""

from types import SimpleNamespace

import numpy as np
import pytest
from tools import END

from ouroboros.data.corpus import Corpus, ShardWriter
from ouroboros.metrics.text.divergence import drift
from ouroboros.metrics.text.lexicon import write_lexicon
from ouroboros.metrics.text.measure import measure

# of 20 tokens END is 2, and 0 is 1; the one complete story has 3 tokens
OWN = np.array([[5, 6, 7, END, 0, *range(10, 15)], [*range(20, 29), END]], np.uint16)
INITIAL = np.array([[5, 6] * 5, [6, 7, 8, 9, 5] * 2], np.uint16)


@pytest.fixture
def inputs(tokenizer_folder, tmp_path):
    for name, rows in (("own", OWN), ("initial", INITIAL)):
        with ShardWriter(tmp_path / name, 10, np.uint16) as shard:
            shard.add(rows, [END, 9])
    write_lexicon(["tree"], tmp_path / "lexicon")
    return SimpleNamespace(
        tokenizer=tokenizer_folder, lexicon=tmp_path / "lexicon", corpus=[tmp_path / "own"],
        initial=[tmp_path / "initial"],
    )  # fmt: skip


def test_stories_end_where_the_tokenizer_says(inputs):
    measured = measure(inputs, {"distinct_sequences": 2, "bigram_sequences": 2}, None, None)
    assert measured["end_of_text_share"] == 2 / 20
    assert measured["story_length"]["complete_stories"] == 1
    assert measured["story_length"]["mean"] == 3


def test_it_is_compared_with_the_initial_corpus(inputs):
    measured = measure(inputs, {"distinct_sequences": 2, "bigram_sequences": 1}, None, None)
    own, initial = ([Corpus(rows, rows[:, 0])] for rows in (OWN, INITIAL))
    expected = drift(lambda: own, lambda: initial, 1, 300)
    assert {key: measured[key] for key in expected} == expected
    assert measured["distinct_sequences"] == 2
