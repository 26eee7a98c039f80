"""GPUs of one machine, shared by jobs that are real processes; conftest.py pretends the machine."""

import fcntl
import os
import threading
import time
from contextlib import ExitStack

import pytest

from ouroboros.errors import UserError
from ouroboros.jobs import gpu_locks

PATIENCE = 120.0  # seconds until a test gives up: it fails, and does not hang


def until(job, word):
    """The lines that the job has printed by the time that `word` is among them."""
    end = time.monotonic() + PATIENCE
    while word not in (text := job.said.read_text()):
        assert job.poll() is None and time.monotonic() < end, text
        time.sleep(0.05)
    return text.splitlines()


def device(job):
    return until(job, "has ")[-1].removeprefix("has ")


def test_each_job_has_its_own_and_a_killed_one_gives_it_back(machine):
    machine.has([0, 0])
    jobs = [machine.start() for _ in range(3)]
    for job in jobs:
        until(job, "GPU")  # it has one, or it says that it waits
    late, *lucky = sorted(jobs, key=lambda job: "Waiting" not in job.said.read_text())
    taken = {device(job): job for job in lucky}
    assert set(taken) == {"GPU-0aaa", "GPU-1aaa"}
    taken["GPU-1aaa"].kill()
    assert device(late) == "GPU-1aaa"


def test_a_job_that_waits_says_for_whom(machine):
    machine.has([0])
    holder = machine.start()
    device(holder)
    waiting = machine.start()
    assert (
        until(waiting, "Waiting")[-1]
        == f"Waiting for 1 GPUs: GPU 0, which process {holder.pid} computes on."
    )


def test_several_for_one_job_and_never_half_of_them(machine):
    machine.has([0, 0, 0])
    small, large = machine.start(1), machine.start(2)
    assert {device(small), *device(large).split(",")} == {f"GPU-{n}aaa" for n in range(3)}
    two = [machine.start(3), machine.start(3)]  # would wait for each other, did they take by halves
    for job in two:
        until(job, "Waiting")
    small.kill()
    large.kill()
    end = time.monotonic() + PATIENCE
    while not (first := [job for job in two if "has" in job.said.read_text()]):
        assert time.monotonic() < end
        time.sleep(0.05)
    first[0].kill()
    two.remove(first[0])
    assert device(two[0]).count("GPU-") == 3


def test_a_job_that_waits_for_several_holds_none_of_them(machine):
    machine.has([0, 0])
    holder = machine.start(1)
    free = {"GPU-0aaa", "GPU-1aaa"} - {device(holder)}
    large = machine.start(2)
    assert until(large, "Waiting")[-1].endswith(f"which process {holder.pid} computes on.")
    third = machine.start(1)
    assert "Waiting" not in "".join(until(third, "GPU"))  # it has one, or it says that it waits
    assert {device(third)} == free
    holder.kill()
    third.kill()
    assert device(large) == "GPU-0aaa,GPU-1aaa"


@pytest.fixture
def here(monkeypatch, tmp_path):
    """The folder of locks for a job in this process, which holds none when the test has ended."""
    with ExitStack() as files:
        monkeypatch.setattr(gpu_locks, "_names", [])
        monkeypatch.setattr(gpu_locks, "_lock_files", files)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
        yield tmp_path / "locks"


def test_a_second_call_gives_the_same(machine, here):
    machine.has([0, 0, 0])
    assert gpu_locks.lock_gpus(2, here) == ["GPU-1aaa", "GPU-0aaa"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-1aaa,GPU-0aaa"
    assert gpu_locks.lock_gpus(1, here) == ["GPU-1aaa"]
    until(machine.start(CUDA_VISIBLE_DEVICES="0,1,2"), "has GPU-2aaa")


def test_one_job_chooses_at_a_time(machine, here):
    machine.has([0, 0])
    here.mkdir()
    job = threading.Thread(target=gpu_locks.lock_gpus, args=(2, here))
    with open(here / "choosing", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        job.start()
        job.join(0.3)
        assert job.is_alive()
    job.join(10)
    assert gpu_locks._names == ["GPU-1aaa", "GPU-0aaa"]


def test_the_holder_is_the_latest_one(machine):
    """Its lock file may hold the longer number of one before it."""
    machine.has([0])
    (machine.folder / "locks").mkdir()
    (machine.folder / "locks/GPU-0aaa").write_text("12345678901")
    holder = machine.start()
    device(holder)
    assert f"process {holder.pid} computes" in until(machine.start(), "Waiting")[-1]


def test_what_slurm_or_the_user_has_set_bounds_the_choice(machine):
    machine.has([0, 0, 0, 0])
    assert device(machine.start(CUDA_VISIBLE_DEVICES="2")) == "GPU-2aaa"
    assert device(machine.start(CUDA_VISIBLE_DEVICES="2,3")) == "GPU-3aaa"
    until(machine.start(CUDA_VISIBLE_DEVICES="GPU-3,2"), "Waiting for 1 GPUs: GPU 3, which")


def test_memory_filled_by_somebody_else(machine):
    machine.has([930, 20])
    job = machine.start()
    lines = until(job, "has")
    assert lines[0] == "Passed over: GPU 0, of whose memory other programs hold 93%."
    assert lines[-1] == "has GPU-1aaa"
    waiting = machine.start()
    assert "GPU 0, of whose memory other programs hold 93%; GPU 1, which" in until(waiting, "W")[0]
    machine.has([100, 20])
    assert device(waiting) == "GPU-0aaa"


MIG = """  MIG 1g.10gb     Device  0: (UUID: MIG-11)
  MIG 1g.10gb     Device  1: (UUID: MIG-12)
"""


def test_instances_of_a_gpu_that_is_cut_up(machine):
    machine.has([0, "[N/A]"], MIG)
    names = {device(machine.start()) for _ in range(3)}
    assert names == {"GPU-0aaa", "MIG-11", "MIG-12"}


def test_a_job_has_one_instance_at_most(machine, tmp_path):
    """CUDA shows a process one, however many it may see: with two it would compute on one, and not say so."""
    machine.has([0, "[N/A]"], MIG)
    with pytest.raises(UserError, match=r"wants 2 GPUs, .* has 1 besides MIG"):
        gpu_locks.lock_gpus(2, tmp_path / "locks")


KNOWN = [gpu_locks.GPU("GPU-0aaa", "0", 1.0), gpu_locks.GPU("GPU-1abc", "1", 1.0),
         gpu_locks.GPU("MIG-7", "2:0", None)]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "indices"),
    [
        (None, ["0", "1", "2:0"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("1", ["1"]),
        ("1, 0", ["1", "0"]),
        ("1,-1,0", ["1"]),
        ("GPU-1abc,MIG-7", ["1", "2:0"]),
        ("GPU-1,GPU-1abc", ["1"]),
        ("2", ["2:0"]),  # the first instance
    ],
)
def test_visible_devices_mean_what_they_mean_to_cuda(given, indices):
    assert [device.index for device in gpu_locks.visible_gpus(KNOWN, given)] == indices


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("7", r"'7' is none of this machine's GPUs. nvidia-smi lists 0 \(GPU-0aaa\), 1"),
        ("0,GPU-", "'GPU-' is more than one of"),
        ("0-1", "'0-1' is none of"),
    ],
)
def test_visible_devices_that_are_not_there(given, message):
    with pytest.raises(UserError, match=message):
        gpu_locks.visible_gpus(KNOWN, given)


def test_more_than_there_are(machine, monkeypatch, tmp_path):
    machine.has([0, 0])
    with pytest.raises(UserError, match="wants 4 GPUs, but this machine has 2. Lower `gpu`"):
        gpu_locks.lock_gpus(4, tmp_path / "locks")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with pytest.raises(UserError, match="wants 2 GPUs, but CUDA_VISIBLE_DEVICES=1 allows 1"):
        gpu_locks.lock_gpus(2, tmp_path / "locks")


def test_a_machine_without_any(machine, tmp_path):
    (machine.folder / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert gpu_locks.lock_gpus(1, tmp_path / "locks") == []
    (machine.folder / "nvidia-smi").unlink()
    assert gpu_locks.lock_gpus(1, tmp_path / "locks") == []
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_folder_of_locks_that_leads_elsewhere_is_refused(machine, tmp_path):
    machine.has([0])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "locks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="has to be yours"):
        gpu_locks.lock_gpus(1, tmp_path / "locks")
