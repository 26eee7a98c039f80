"""GPUs of one machine, pretended by an nvidia-smi of our own; the jobs are real processes."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tools import REPOSITORY

from ouroboros.errors import UserError
from ouroboros.jobs import gpu_locks

SMI = """#!/bin/sh
case "$1" in
  -L) cat "$(dirname "$0")/listing" ;;
  *driver*) echo 470.57.02 ;;
  *) cat "$(dirname "$0")/memory" ;;
esac
"""
JOB = """
import logging, os, sys
from pathlib import Path
from ouroboros.jobs import gpu_locks
logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
gpu_locks.lock_gpus(int(sys.argv[1]), Path(sys.argv[2]), pause=0.05)
print("has", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


class Machine:
    """A folder with an nvidia-smi, and the processes started on it."""

    def __init__(self, folder: Path):
        self.folder, self.jobs = folder, []
        smi = folder / "nvidia-smi"
        smi.write_text(SMI)
        smi.chmod(0o755)

    def has(self, used: list, mig: str = ""):
        """As many GPUs of 1000 MB, of which so many are used; `mig` stands below the last."""
        lines = [f"GPU {n}: Pretended (UUID: GPU-{n}aaa)\n" for n in range(len(used))]
        (self.folder / "listing").write_text("".join(lines) + mig)
        rows = [f"GPU-{n}aaa, 1000, {megabytes}\n" for n, megabytes in enumerate(used)]
        (self.folder / "new").write_text("".join(rows))
        os.replace(self.folder / "new", self.folder / "memory")

    def start(self, count=1, **environment):
        """A job; what it prints goes to a file, since tests look at several at once."""
        said = self.folder / f"said-{len(self.jobs)}"
        with open(said, "w") as output:
            job = subprocess.Popen(
                [sys.executable, "-c", JOB, str(count), str(self.folder / "locks")],
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, text=True,
                env=os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow/scripts"), **environment},
            )  # fmt: skip
        job.said = said
        self.jobs.append(job)
        return job


def until(job, word):
    """The lines that the job has printed by the time that `word` is among them."""
    while word not in (text := job.said.read_text()):
        assert job.poll() is None, text
        time.sleep(0.05)
    return text.splitlines()


def device(job):
    return until(job, "has ")[-1].removeprefix("has ")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    machine = Machine(tmp_path)
    yield machine
    for job in machine.jobs:
        job.kill()
        job.communicate()


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
    while not (first := [job for job in two if "has" in job.said.read_text()]):
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


def choose(torch_says: str):
    """`choose_device(2, 1)` in a process of its own, where torch says what the lines set."""
    code = f"""
import os, sys, torch
from ouroboros.jobs import device
from ouroboros.errors import UserError
{torch_says}
try:
    print(device.choose_device(2, 1))
except UserError as error:
    print("error:", error)
assert not torch.cuda.is_initialized()
"""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    return subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, text=True, stdout=subprocess.PIPE
    ).stdout.strip()


def test_torch_has_not_looked_when_the_choice_is_made(machine):
    """CUDA_VISIBLE_DEVICES stands before torch asks."""
    machine.has([0, 0])
    looked = 'torch.cuda.is_available = lambda: print(os.environ["CUDA_VISIBLE_DEVICES"])'
    assert choose(looked).splitlines()[0] == "GPU-0aaa,GPU-1aaa"


CUDA_13 = """
torch.__version__, torch.version.cuda = "2.13.0+cu130", "13.0"
torch.cuda.get_arch_list = lambda: ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
torch.cuda.device_count = lambda: 2
"""
TOO_OLD = """
torch.cuda.is_available = lambda: False
def init():
    raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).\\nMore.")
torch.cuda.init = init
"""


def capabilities(*of):
    return (
        "torch.cuda.is_available = lambda: True\n"
        f"torch.cuda.get_device_capability = lambda index: {of}[index]\n"
    )


def test_a_driver_too_old_for_torch_is_an_error_and_not_weeks_on_the_cpu(machine):
    machine.has([0, 0])
    said = choose(CUDA_13 + TOO_OLD)
    assert said == (
        "error: This job has a GPU (GPU-0aaa,GPU-1aaa) that torch cannot use: torch says: The NVIDIA "
        "driver on your system is too old (found version 11040). The driver is 470.57.02; torch is "
        "2.13.0+cu130, built for CUDA 13.0, which needs driver 580 or newer. Update the driver, or "
        "install a build of torch that fits driver and GPU (pytorch.org lists them). To compute on "
        "the CPU all the same, give `--resources gpu=0`."
    )


def test_a_torch_for_cpus_beside_a_gpu(machine):
    machine.has([0, 0])
    said = choose('torch.__version__, torch.version.cuda = "2.13.0+cpu", None')
    assert "cannot use: this torch is built for CPUs alone. The driver is 470.57.02" in said
    assert "torch is 2.13.0+cpu, built without CUDA. Update" in said


def test_a_gpu_that_torch_has_no_kernels_for(machine):
    machine.has([0, 0])
    assert choose(CUDA_13 + capabilities((9, 0), (8, 9))) == "cuda"
    said = choose(CUDA_13 + capabilities((9, 0), (7, 0)))
    assert "its compute capability is 7.0, and this torch is built for sm_75, sm_80, sm_86" in said


@pytest.mark.parametrize(
    ("capability", "architectures", "runs"),
    [
        ((8, 6), ["sm_80"], True),
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80", "sm_86"], False),
        ((9, 0), ["sm_80", "compute_80"], True),
        ((7, 5), ["compute_80"], False),
        ((9, 0), ["sm_90a"], True),
        ((12, 1), ["sm_120"], True),
        ((12, 1), ["sm_120a"], False),
        ((10, 3), ["sm_100f"], True),
        ((9, 0), ["gfx90a"], True),
        ((9, 0), [], False),
    ],
)
def test_which_architectures_run_on_which_gpu(capability, architectures, runs):
    from ouroboros.jobs.device import has_kernels_for

    assert has_kernels_for(capability, architectures) is runs


def test_a_machine_without_a_gpu_computes_on_the_cpu(machine):
    (machine.folder / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert choose("torch.cuda.is_available = lambda: False") == "cpu"
