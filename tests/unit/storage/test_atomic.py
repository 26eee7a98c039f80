"""Artifacts are whole or absent, whatever fails."""

import json
import os
import subprocess

import pytest

from ouroboros.errors import UserError
from ouroboros.storage.atomic import new_directory, new_file, read_json, write_json, write_text


def test_a_failure_leaves_what_was_there(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(RuntimeError), new_file(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a").read_text() == "old"
    with pytest.raises(RuntimeError), new_directory(tmp_path / "d") as temporary:
        (temporary / "x").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_directory_replaces_the_one_before(tmp_path):
    for name in ("one", "two"):
        with new_directory(tmp_path / "d") as temporary:
            (temporary / name).write_text(name)
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["two"]


def test_json_never_holds_nan(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []
    write_json(tmp_path / "a.json", {"loss": 1.5})
    assert json.loads((tmp_path / "a.json").read_text()) == {"loss": 1.5}


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"loss": ')
    with pytest.raises(UserError, match=r"a\.json is damaged: it is not valid JSON"):
        read_json(tmp_path / "a.json")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_nothing_is_left(small_disk, model_settings, tokenizer_folder):
    import numpy as np
    from tools import initialise

    from ouroboros.data.corpus import ShardWriter
    from ouroboros.model.checkpoint import write_checkpoint

    def shard():
        with ShardWriter(small_disk / "shard", 100, np.uint16) as writer:
            rng = np.random.default_rng(0)
            for _ in range(10):
                writer.add(rng.integers(0, 60000, (100, 100)).astype(np.uint16), 0)

    def checkpoint():
        write_checkpoint(initialise(model_settings, 0), tokenizer_folder, 0, {}, small_disk / "c")

    for write in (
        lambda: write_text(small_disk / "text", "x" * 200_000),
        lambda: write_json(small_disk / "a.json", {"x": "x" * 200_000}),
        shard,
        checkpoint,
    ):
        with pytest.raises(UserError, match="no space left on device"):
            write()
        assert list(small_disk.iterdir()) == []
    write_text(small_disk / "text", "room for this")
    assert (small_disk / "text").read_text() == "room for this"


def test_a_read_only_file_system_is_said(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UserError, match="read-only file system"):
        write_text(small_disk / "text", "x")
