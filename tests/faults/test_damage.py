"""A flipped bit, a cut-off end: found before anything is made of the file."""

import random
import shutil

import numpy as np
import pyarrow as pa
import pytest
from tools import initialise, read_shards

from ouroboros.data.corpus import ShardWriter, row_groups
from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.errors import UserError
from ouroboros.metrics.classification.model import read_classifier
from ouroboros.model.checkpoint import read_checkpoint, read_lm, write_checkpoint
from ouroboros.storage.atomic import read_json, write_json
from ouroboros.storage.parquet import DIGITS, KEY, verify_parquet, write_parquet

FLIPS = 100  # per file


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    path = tmp_path_factory.mktemp("shard") / "shard-00000.parquet"
    rng = np.random.default_rng(1)
    with ShardWriter(path, 20, np.uint16) as writer:
        writer.add(rng.integers(0, 500, (50, 20)).astype(np.uint16), 0)
    return path


@pytest.fixture
def checkpoint(model_settings, tokenizer_folder, tmp_path):
    write_checkpoint(initialise(model_settings, 0), tokenizer_folder, 0, {}, tmp_path / "c")
    return tmp_path / "c"


def flips(path, seed):
    """Flip a random bit of the file, yield where it is, and flip it back; again and again."""
    whole = path.read_bytes()
    for bit in random.Random(seed).sample(range(8 * len(whole)), min(FLIPS, 8 * len(whole))):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        yield bit
    path.write_bytes(whole)


def test_every_flipped_bit_of_a_shard_is_found(shard, tmp_path):
    path = tmp_path / "shard-00000.parquet"
    shutil.copy(shard, path)
    for seed in range(3):
        for bit in flips(path, seed):
            with pytest.raises(UserError, match=f"{path} is damaged") as error:
                read_shards([path])
            assert f"snakemake --cores all --force {path}\n" in str(error.value), bit
    assert len(read_shards([path])) == 50


def test_the_seals_own_bits_and_its_name(shard, tmp_path):
    """One by one: a flip in the checksum itself is a flip too."""
    whole, path = shard.read_bytes(), tmp_path / "shard"
    start = whole.rindex(KEY)
    for place in range(start, start + len(KEY) + 2 + DIGITS):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 32]) + whole[place + 1 :])
        with pytest.raises(UserError, match="is damaged"):
            verify_parquet(path)


def test_every_flipped_bit_of_a_checkpoint_is_found(checkpoint):
    for file in sorted(checkpoint.iterdir()):
        if file.name == "training.json":  # a record that no job computes with
            continue
        for bit in flips(file, file.name):
            with pytest.raises(UserError, match=f"{checkpoint} is damaged") as error:
                read_checkpoint(checkpoint)
            assert file.name in str(error.value), (file, bit)
            assert f"snakemake --cores all --force {checkpoint}\n" in str(error.value)
    read_lm(checkpoint)


def test_whoever_reads_a_checkpoint_looks(checkpoint):
    (checkpoint / "config.json").write_text("{}")
    for read in (
        read_checkpoint,
        read_lm,
        read_tokenizer,
        lambda folder: read_classifier(folder, 2, np.array([1, 2]), 0),
    ):
        with pytest.raises(UserError, match=r"is damaged: config\.json"):
            read(checkpoint)


@pytest.mark.parametrize("share", [0, 0.3, 0.999])
def test_cut_off_files(shard, checkpoint, tmp_path, share):
    def cut(path):
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    path = tmp_path / "shard"
    shutil.copy(shard, path)
    cut(path)
    with pytest.raises(UserError, match="shard is damaged"):
        list(row_groups([path]))
    for file in ("model.safetensors", "SHA256SUMS"):
        before = (checkpoint / file).read_bytes()
        cut(checkpoint / file)
        with pytest.raises(UserError, match="is damaged"):
            read_checkpoint(checkpoint)
        (checkpoint / file).write_bytes(before)
    write_json(tmp_path / "a.json", {"epochs": 3})
    cut(tmp_path / "a.json")
    if share < 0.9:  # the end of line alone is no loss
        with pytest.raises(UserError, match=r"a\.json is damaged: it is not valid JSON"):
            read_json(tmp_path / "a.json")


def test_a_missing_file_and_one_of_another_program(checkpoint, tmp_path):
    with pytest.raises(UserError, match="There is no file"):
        read_shards([tmp_path / "shard"])
    with pytest.raises(UserError, match="There is no folder"):
        read_checkpoint(tmp_path / "checkpoint")
    pa.parquet.write_table(pa.table({"input_ids": [1]}), tmp_path / "foreign")
    with pytest.raises(UserError, match="it has no checksum: .*another program wrote it"):
        read_shards([tmp_path / "foreign"])
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"is damaged: .*model\.safetensors"):
        read_checkpoint(checkpoint)


def test_a_seal_is_metadata_to_others(tmp_path):
    table = pa.table({"text": ["x"]})
    write_parquet(tmp_path / "a.parquet", table)
    assert pa.parquet.read_table(tmp_path / "a.parquet").equals(table)
    before = (tmp_path / "a.parquet").read_bytes()
    write_parquet(tmp_path / "a.parquet", table)
    assert (tmp_path / "a.parquet").read_bytes() == before
