"""The second count of OOV words, of a corpus in files: repetition counts, whatever its tokens."""

from types import SimpleNamespace

import numpy as np
import pytest

from ouroboros.data.corpus import ShardWriter
from ouroboros.data.tokenizer import make_tokenizer, write_tokenizer
from ouroboros.metrics.oov.measure import measure
from ouroboros.metrics.text.lexicon import write_lexicon


@pytest.fixture(scope="module")
def gpt2():
    return make_tokenizer({"source": "gpt2"}, [])


@pytest.fixture(scope="module")
def files(gpt2, clean_words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("oov")
    write_tokenizer(*gpt2, folder / "tokenizer")
    write_lexicon(clean_words, folder / "clean.txt")
    return folder


@pytest.mark.parametrize(
    ("text", "words", "oov"),
    [
        (" z" * 600, 600, {"z": 600}),
        (" e" * 600, 600, {"e": 600}),
        (" eee" * 300, 300, {"eee": 300}),
        (" zzz" * 300, 300, {"zzz": 300}),
        (" bar bar bar" * 200, 600, {}),
        (" frog" * 600, 600, {}),
        (" Timmy wagged a yummy z. I didn't, teh Tim said" * 10, 100, {"z": 10, "teh": 10}),
    ],
)
def test_repetition_of_what_is_no_word_counts(files, gpt2, text, words, oov):
    ids = np.array([gpt2[0].encode(text).ids], np.uint16)
    with ShardWriter(files / "shard.parquet", ids.shape[1], ids.dtype) as shard:
        shard.add(np.repeat(ids, 2, axis=0), 50256)
    inputs = SimpleNamespace(
        corpus=[files / "shard.parquet"], tokenizer=files / "tokenizer",
        clean_lexicon=files / "clean.txt",
    )  # fmt: skip
    result = measure(inputs, {}, None, None)
    assert result == {
        "words": 2 * words, "oov_words": 2 * sum(oov.values()), "distinct_oov_words": len(oov),
        "oov_share": sum(oov.values()) / words,
        "most_frequent_oov_words": sorted([word, 2 * count] for word, count in oov.items()),
    }  # fmt: skip
