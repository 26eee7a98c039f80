"""A full disk in the middle of an artifact: said, nothing left, and made when there is room."""

import os
import subprocess

import numpy as np
import pytest
from tools import initialise, read_shards

from ouroboros.data.corpus import ShardWriter
from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.reply_log import Replies
from ouroboros.model.checkpoint import read_checkpoint, write_checkpoint
from ouroboros.storage.atomic import read_json, write_json, write_text


@pytest.fixture
def disk(tmp_path):
    """A file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def shard(path):
    rng = np.random.default_rng(0)
    with ShardWriter(path, 100, np.uint16) as writer:
        for _ in range(20):
            writer.add(rng.integers(0, 60000, (100, 100)).astype(np.uint16), 0)
    return lambda: len(read_shards([path])) == 2000


def json_(path):
    write_json(path, {"x": "x" * 200_000})
    return lambda: len(read_json(path)["x"]) == 200_000


@pytest.mark.parametrize("room", [0, 4096, 20_000, 60_000])
@pytest.mark.parametrize("artifact", ["shard", "json", "checkpoint"])
def test_nothing_under_the_final_name(disk, model_settings, tokenizer_folder, artifact, room):
    def checkpoint(path):
        write_checkpoint(initialise(model_settings, 0), tokenizer_folder, 0, {}, path)
        return lambda: read_checkpoint(path)

    write = {"shard": shard, "json": json_, "checkpoint": checkpoint}[artifact]
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(free.f_bfree * free.f_bsize - room))
    if artifact == "checkpoint" and room >= 60_000:
        pytest.skip("it would fit")
    with pytest.raises(UserError, match="artifact could not be written: no space left on device"):
        write(disk / "artifact")
    assert [path.name for path in disk.iterdir()] == ["ballast"]
    ballast.unlink()
    assert write(disk / "artifact")()
    assert [path.name for path in disk.iterdir()] == ["artifact"]


def test_what_was_there_stays(disk):
    write_text(disk / "artifact", "before")
    (disk / "ballast").write_bytes(bytes(1_000_000))
    with pytest.raises(UserError, match="no space left"):
        write_text(disk / "artifact", "x" * 100_000)
    assert (disk / "artifact").read_text() == "before"


def test_a_reply_that_finds_no_room_does_not_spoil_those_before(disk):
    record = {"key": "a", "reply": "x" * 1000, "cost": 1.0}
    with Replies(disk / "replies") as replies:
        replies.append(record)
        (disk / "ballast").write_bytes(bytes(os.statvfs(disk).f_bfree * 4096))
        with pytest.raises(UserError, match="replies could not be written: no space left"):
            for number in range(10):
                replies.append(record | {"key": f"b{number}"})
    (disk / "ballast").unlink()
    with Replies(disk / "replies") as replies:
        assert replies.get("a") == record
        replies.append(record | {"key": "c"})
    with Replies(disk / "replies") as replies:
        assert replies.get("c") and replies.get("a")
