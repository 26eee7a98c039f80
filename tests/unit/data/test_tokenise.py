"""From stories to tokens to sequences."""

import math

import numpy as np
import pyarrow as pa
import pytest
from tools import END, read_shards

from ouroboros.data.tokenise import pack, read_token_stories, tokenise
from ouroboros.errors import UserError
from ouroboros.storage.parquet import write_parquet


def stories_file(path, texts, logs=None):
    logs = pa.array(logs or [None] * len(texts), pa.float64())
    write_parquet(path, pa.table({"text": texts, "log_probability": logs}))
    return path


def tokens_file(path, stories):
    write_parquet(path, pa.table({"input_ids": pa.array(stories, pa.list_(pa.uint16()))}))
    return path


def test_tokenise_and_read_back(tokenizer, texts, tmp_path):
    path = stories_file(tmp_path / "stories", texts[:9])
    counts = tokenise(path, tokenizer, tmp_path / "tokens")
    stories = read_token_stories(tmp_path / "tokens")
    assert [tokenizer.decode(story.tolist()) for story in stories] == texts[:9]
    assert counts == {"stories": 9, "tokens": sum(map(len, stories))}


def test_a_story_that_spells_end_of_text_does_not_end(tokenizer, tmp_path):
    path = stories_file(tmp_path / "stories", ["Mia said <|endoftext|> and laughed."])
    tokenise(path, tokenizer, tmp_path / "tokens")
    assert END not in read_token_stories(tmp_path / "tokens")[0]


def test_the_floor_is_the_true_distributions_perplexity(tokenizer, tmp_path):
    """Two stories of probability 1/8 and 1/32: 8 bits over all of their tokens."""
    path = stories_file(
        tmp_path / "stories", ["Mia ran.", "Tom sat."], [-math.log(8), -math.log(32)]
    )
    counts = tokenise(path, tokenizer, tmp_path / "tokens")
    assert counts["entropy_per_token"] == pytest.approx(8 * math.log(2) / counts["tokens"])
    assert counts["floor"] == pytest.approx(2 ** (8 / counts["tokens"]))


def test_pack_by_hand(tmp_path):
    """Stream 1 2 3 E 4 5 E 6 7 8 9 E, cut into fives; `9 E` fill no sequence."""
    path = tokens_file(tmp_path / "tokens", [[1, 2, 3], [4, 5], [6, 7, 8, 9]])
    assert pack(path, END, 5, tmp_path / "shard") == 2
    corpus = read_shards([tmp_path / "shard"])
    assert corpus.tokens.tolist() == [[1, 2, 3, END, 4], [5, END, 6, 7, 8]]
    assert corpus.previous.tolist() == [END, 4]


def test_pack_is_one_stream_across_batches(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    stories = [rng.integers(0, END, n).tolist() for n in rng.integers(1, 40, 100)]
    path = tokens_file(tmp_path / "tokens", stories)
    monkeypatch.setattr("ouroboros.data.tokenise.ROW_GROUP", 7)
    count = pack(path, END, 16, tmp_path / "shard")
    stream = [token for story in stories for token in (*story, END)]
    corpus = read_shards([tmp_path / "shard"])
    assert count == len(stream) // 16
    assert corpus.tokens.reshape(-1).tolist() == stream[: count * 16]
    assert corpus.previous.tolist() == [END, *stream[15 : count * 16 - 1 : 16]]


def test_less_text_than_one_sequence(tmp_path):
    path = tokens_file(tmp_path / "tokens", [[1, 2, 3]])
    with pytest.raises(UserError, match=r"4 tokens, fewer than one sequence of 5.*sequence_length"):
        pack(path, END, 5, tmp_path / "shard")
    assert not (tmp_path / "shard").exists()
