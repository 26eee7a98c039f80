"""The statistics of a corpus on disk, with the tokenizer it was made with."""

from types import SimpleNamespace

import numpy as np
from tools import END

from ouroboros.data.corpus import ShardWriter
from ouroboros.metrics.text.lexicon import write_lexicon
from ouroboros.metrics.text.measure import measure


def test_stories_end_where_the_tokenizer_says(tokenizer_folder, tmp_path):
    """Of 20 tokens END is 2, and 0 is 1; the one complete story has 3 tokens."""
    rows = np.array([[5, 6, 7, END, 0, *range(10, 15)], [*range(20, 29), END]], np.uint16)
    with ShardWriter(tmp_path / "shard", 10, np.uint16) as shard:
        shard.add(rows, [END, 9])
    write_lexicon(["tree"], tmp_path / "lexicon")
    corpus = [tmp_path / "shard"]
    inputs = SimpleNamespace(
        tokenizer=tokenizer_folder, lexicon=tmp_path / "lexicon", corpus=corpus, initial=corpus
    )
    measured = measure(inputs, {"distinct_sequences": 2, "bigram_sequences": 2}, None, None)
    assert measured["end_of_text_share"] == 2 / 20
    assert measured["story_length"]["complete_stories"] == 1
    assert measured["story_length"]["mean"] == 3
