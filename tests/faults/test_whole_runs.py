"""Faults around a real Snakemake, in a folder whose path has spaces and letters beyond ASCII.

One small lineage up to its first corpus; `results` is a file system of its own, TMPDIR is on
another. Each test leaves the lineage whole.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
from tools import Workflow, artifacts

GEN0 = "results/tiny/gen0/corpus/shard-00000.parquet"
SHARED = "results/corpora/own/small/sequences-32.parquet"  # what the former is a link to
CHECKPOINT = "results/tiny/gen1/checkpoint"
SHARD = "results/tiny/gen1/corpus/shard-00001.parquet"


def mounted(place, *options):
    """Mount a small file system in memory there; False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(place)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory, texts):
    workflow = Workflow(tmp_path_factory.mktemp("a") / "Brontë's Räume ☃").set_up(texts)
    workflow.results = workflow.folder / "results"
    workflow.results.mkdir()
    if not mounted(workflow.results, "-o", "size=8m"):
        pytest.skip("mounting a file system for results needs root")
    yield workflow
    subprocess.run(["umount", "-l", str(workflow.results)], check=True)


def runs(workflow, *targets):
    # a cluster's jobs often have no locale
    result = workflow.run(*targets, environment={"LC_ALL": "C", "TMPDIR": "/dev/shm"})
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def fails(workflow, *targets):
    result = workflow.run(*targets)
    assert result.returncode != 0
    assert "Traceback" not in result.stdout, result.stdout[-4000:]
    return " ".join(result.stdout.split())


@pytest.fixture(scope="module")
def begun(place):
    runs(place, GEN0)
    return place


@pytest.fixture(scope="module")
def sampled(begun):
    """With its first corpus; whatever fills the disk stands in `ballast` before."""
    ballast = begun.results / "ballast"
    free = os.statvfs(begun.results)
    ballast.write_bytes(bytes(free.f_bfree * free.f_bsize - 16_384))
    begun.full = fails(begun, CHECKPOINT)
    begun.left = artifacts(begun.results)
    ballast.unlink()
    runs(begun, SHARD)
    return begun


def test_a_full_disk(sampled):
    written = rf"{CHECKPOINT}(\.state/\S+)? could not be written: no space left on device\."
    assert re.search(written, sampled.full)
    assert "Free some space there and run the same command again" in sampled.full
    assert not any("gen1" in name or "partial" in name for name in sampled.left)
    assert (sampled.folder / SHARD).is_file()  # with room again


@pytest.mark.slow
def test_a_flipped_bit_is_never_trained_on_and_the_command_mends_it(sampled):
    shard = sampled.folder / SHARED
    before = shard.read_bytes()
    damaged = bytearray(before)
    damaged[len(before) // 2] ^= 4
    stat = shard.stat()
    shard.write_bytes(damaged)
    os.utime(shard, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # disks do not tell
    subprocess.run(["rm", "-r", str(sampled.folder / CHECKPOINT)], check=True)
    said = fails(sampled, CHECKPOINT)
    assert f"{SHARED} is damaged: its checksum" in said
    assert not (sampled.folder / CHECKPOINT).exists()
    command = shlex.split(re.search(r"snakemake (--cores all --force \S+)", said)[1])
    runs(sampled, *command[2:])
    assert shard.read_bytes() == before
    runs(sampled, SHARD)
    # As if it had been remade after all that was made of it; of small files, which a real shard is
    # not, Snakemake sees by itself that they are the same.
    os.utime(shard)
    large = [SHARD, "--max-checksum-file-size", "0"]
    assert sampled.planned(SHARD) == set()
    made_of_it = {"gen0 tiny", "train_first tiny", "sample tiny gen1 00001"}
    assert sampled.planned(*large) == made_of_it
    runs(sampled, "--touch", *large)
    assert sampled.planned(*large) == set()


def test_a_checkpoint_with_a_flipped_bit_is_not_sampled(sampled):
    weights = sampled.folder / CHECKPOINT / "model.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    shard = (sampled.folder / SHARD).read_bytes()
    (sampled.folder / SHARD).unlink()
    said = fails(sampled, SHARD)
    assert f"{CHECKPOINT} is damaged: model.safetensors does not" in said
    assert f"snakemake --cores all --force {CHECKPOINT}" in said
    weights.write_bytes(before)
    runs(sampled, SHARD)
    assert (sampled.folder / SHARD).read_bytes() == shard


@pytest.mark.slow
def test_a_clock_that_was_turned_back(sampled):
    """An artifact from an hour "from now" is used, and artifacts made of it count as new."""
    stamp = sampled.folder / CHECKPOINT / ".snakemake_timestamp"
    late = time.time() + 3600
    os.utime(stamp, (late, late))
    (sampled.folder / SHARD).unlink()
    runs(sampled, SHARD)
    assert (
        "gets the present time" in (sampled.folder / "logs/tiny/gen1/sample-00001.log").read_text()
    )
    assert sampled.planned(SHARD) == set()


@pytest.mark.slow
def test_texts_from_the_past_and_from_the_future(sampled):
    own = sampled.folder / "own.txt"
    os.utime(own, (0, 0))
    assert sampled.planned(SHARD) == set()
    late = time.time() + 3600
    os.utime(own, (late, late))
    assert "own.txt was last changed at 20" in (said := fails(sampled, SHARD))
    assert "touch own.txt" in said
    os.utime(own, (0, 0))


def test_results_that_cannot_be_written(sampled):
    shard = sampled.folder / SHARD
    shard.unlink()
    remount = ["mount", "-o", "remount", str(sampled.results)]
    subprocess.run([*remount[:2], "remount,ro", remount[-1]], check=True)
    try:
        said = fails(sampled, SHARD)
    finally:
        subprocess.run([*remount[:2], "remount,rw", remount[-1]], check=True)
    assert "results cannot be written (it is read-only, or another user's)" in said
    runs(sampled, SHARD)


def test_a_second_snakemake_and_a_lock_left_behind(sampled):
    (sampled.folder / SHARD).unlink()
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--configfile",
        "tiny.yaml",
        "--cores",
        "1",
        SHARD,
    ]
    with open(sampled.folder / "first.log", "w") as output:
        first = subprocess.Popen(
            command, cwd=sampled.folder, stdout=output, stderr=output, start_new_session=True
        )
    lock = sampled.folder / ".snakemake/locks/0.output.lock"
    while not (lock.exists() and SHARD in lock.read_text()):
        assert first.poll() is None, (sampled.folder / "first.log").read_text()
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGSTOP)  # so that it lives, and does not get to its end
    said = fails(sampled, SHARD)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert f"Another snakemake runs in {sampled.folder} (process {first.pid})" in said
    assert "Directory cannot be locked" in said
    said = fails(sampled, SHARD)
    assert "is locked, but no snakemake of yours runs in it on this machine" in said
    assert "do `snakemake --unlock`" in said
    runs(sampled, "--unlock")
    assert "is locked" not in runs(sampled, SHARD)
