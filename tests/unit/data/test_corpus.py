"""Shards: what is written is what is read, here and by `datasets`."""

import datasets
import numpy as np
import pytest

from ouroboros.data.corpus import ROW_GROUP, Corpus, ShardWriter, blocks
from ouroboros.errors import UserError


@pytest.fixture
def tokens():
    return np.random.default_rng(0).integers(0, 65536, (50, 12)).astype(np.uint16)


def write(path, tokens, previous=9):
    with ShardWriter(path, tokens.shape[1]) as shard:
        shard.add(tokens[:20], previous)
        shard.add(tokens[20:], previous)
    return path


def test_shards_read_one_behind_the_other(tokens, tmp_path):
    paths = [
        write(tmp_path / name, part) for name, part in (("a", tokens[:30]), ("b", tokens[30:]))
    ]
    corpus = Corpus.read(paths)
    assert np.array_equal(corpus.tokens, tokens)
    assert corpus.tokens.dtype == np.uint16
    assert np.array_equal(corpus.previous, np.full(50, 9))
    assert np.array_equal(np.concatenate([block.tokens for block in blocks(paths)]), tokens)


def test_datasets_reads_them(tokens, tmp_path):
    write(tmp_path / "shard-00000.parquet", tokens)
    data = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "*.parquet"), split="train", cache_dir=tmp_path / "c"
    )
    assert data["input_ids"][:] == tokens.tolist()
    assert data["previous_id"][:] == [9] * 50


def test_equal_tokens_give_equal_bytes_in_blocks_of_bounded_size(tmp_path):
    tokens = np.zeros((ROW_GROUP + 5, 2), np.uint16)
    first, second = (write(tmp_path / name, tokens).read_bytes() for name in "ab")
    assert first == second
    assert max(len(block) for block in blocks([tmp_path / "a"])) <= ROW_GROUP


def test_the_sizes_handed_in_leave_no_trace(tokens, tmp_path, monkeypatch):
    monkeypatch.setattr("ouroboros.data.corpus.ROW_GROUP", 16)
    for size in (1, 7, 16, 40, 50):
        with ShardWriter(tmp_path / str(size), 12) as shard:
            for start in range(0, 50, size):
                shard.add(tokens[start : start + size], np.arange(50)[start : start + size])
    contents = {(tmp_path / str(size)).read_bytes() for size in (1, 7, 16, 40, 50)}
    assert len(contents) == 1
    corpus = Corpus.read([tmp_path / "7"])
    assert np.array_equal(corpus.tokens, tokens)
    assert np.array_equal(corpus.previous, np.arange(50))
    assert [len(block) for block in blocks([tmp_path / "7"])] == [16, 16, 16, 2]


def test_a_failure_while_writing_leaves_nothing(tokens, tmp_path):
    with pytest.raises(RuntimeError), ShardWriter(tmp_path / "shard", 12) as shard:
        shard.add(tokens, 0)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_shard_is_named(tokens, tmp_path):
    path = write(tmp_path / "shard", tokens)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match="shard is damaged: its checksum is not"):
        Corpus.read([path])


def test_shards_of_different_lengths_are_refused(tokens, tmp_path):
    paths = [write(tmp_path / "a", tokens), write(tmp_path / "b", tokens[:, :7])]
    with pytest.raises(UserError, match="b holds sequences of 7 tokens"):
        Corpus.read(paths)
