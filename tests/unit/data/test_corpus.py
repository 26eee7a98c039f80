"""Shards: what is written is what is read, here and by `datasets`."""

import datasets
import numpy as np
import pytest
from tools import read_shards

from ouroboros.data.corpus import ROW_GROUP, ShardWriter, row_groups, token_type
from ouroboros.errors import UserError


@pytest.fixture
def tokens():
    return np.random.default_rng(0).integers(0, 65536, (50, 12)).astype(np.uint16)


def write(path, tokens, previous=9):
    with ShardWriter(path, tokens.shape[1], tokens.dtype) as shard:
        shard.add(tokens[:20], previous)
        shard.add(tokens[20:], previous)
    return path


def test_shards_are_read_in_order(tokens, tmp_path):
    paths = [
        write(tmp_path / name, part) for name, part in (("a", tokens[:30]), ("b", tokens[30:]))
    ]
    corpus = read_shards(paths)
    assert np.array_equal(corpus.tokens, tokens)
    assert corpus.tokens.dtype == np.uint16
    assert np.array_equal(corpus.previous, np.full(50, 9))
    assert np.array_equal(np.concatenate([group.tokens for group in row_groups(paths)]), tokens)


def test_the_type_of_tokens_follows_the_vocabulary():
    assert token_type(300) == token_type(65_536) == np.uint16
    assert token_type(65_537) == token_type(1_000_000) == np.uint32


def test_ids_that_need_32_bits(tokens, tmp_path):
    large = tokens.astype(np.uint32) * 65_537  # up to 2^32 - 1
    path = write(tmp_path / "large", large, previous=70_000)
    corpus = read_shards([path])
    assert corpus.tokens.dtype == corpus.previous.dtype == np.uint32
    assert np.array_equal(corpus.tokens, large)
    assert corpus.previous.tolist() == [70_000] * 50
    both = read_shards([write(tmp_path / "small", tokens), path])
    assert np.array_equal(both.tokens, np.concatenate([tokens, large]))
    with (
        pytest.raises(TypeError, match="uint32.*uint16"),
        ShardWriter(tmp_path / "narrow", 12, np.uint16) as shard,
    ):
        shard.add(large, 0)


def test_datasets_reads_them(tokens, tmp_path):
    write(tmp_path / "shard-00000.parquet", tokens)
    data = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "*.parquet"), split="train", cache_dir=tmp_path / "c"
    )
    assert data["input_ids"][:] == tokens.tolist()
    assert data["previous_id"][:] == [9] * 50


def test_equal_tokens_give_equal_bytes_in_row_groups_of_bounded_size(tmp_path):
    tokens = np.zeros((ROW_GROUP + 5, 2), np.uint16)
    first, second = (write(tmp_path / name, tokens).read_bytes() for name in "ab")
    assert first == second
    assert max(len(group) for group in row_groups([tmp_path / "a"])) <= ROW_GROUP


def test_the_sizes_handed_in_leave_no_trace(tokens, tmp_path, monkeypatch):
    monkeypatch.setattr("ouroboros.data.corpus.ROW_GROUP", 16)
    for size in (1, 7, 16, 40, 50):
        with ShardWriter(tmp_path / str(size), 12, np.uint16) as shard:
            for start in range(0, 50, size):
                shard.add(tokens[start : start + size], np.arange(50)[start : start + size])
    contents = {(tmp_path / str(size)).read_bytes() for size in (1, 7, 16, 40, 50)}
    assert len(contents) == 1
    corpus = read_shards([tmp_path / "7"])
    assert np.array_equal(corpus.tokens, tokens)
    assert np.array_equal(corpus.previous, np.arange(50))
    assert [len(group) for group in row_groups([tmp_path / "7"])] == [16, 16, 16, 2]


def test_a_failure_while_writing_leaves_nothing(tokens, tmp_path):
    with pytest.raises(RuntimeError), ShardWriter(tmp_path / "shard", 12, np.uint16) as shard:
        shard.add(tokens, 0)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_shard_is_named(tokens, tmp_path):
    path = write(tmp_path / "shard", tokens)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match="shard is damaged: its checksum is not"):
        read_shards([path])
