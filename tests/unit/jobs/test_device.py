"""The device that a job computes on: what torch says of it, and of GPUs that are pretended."""

import os
import subprocess
import sys

import pytest
import torch
from tools import REPOSITORY

from ouroboros.jobs import device


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
    assert device.has_kernels_for(capability, architectures) is runs


def test_a_machine_without_a_gpu_computes_on_the_cpu(machine):
    (machine.folder / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert choose("torch.cuda.is_available = lambda: False") == "cpu"


@pytest.mark.parametrize(
    ("place", "precision", "dtype"),
    [
        ("cpu", "bf16", torch.bfloat16),
        ("cpu", "fp16", None),
        ("cpu", "fp32", None),
        ("cuda", "bf16", torch.bfloat16),
        ("cuda", "fp16", torch.float16),
        ("cuda", "fp32", None),
    ],
)
@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_precision(place, precision, dtype):
    found = device.autocast(torch.device(place), precision)
    assert getattr(found, "fast_dtype", None) == dtype


def test_a_job_counts_and_names_the_gpus_it_asked_for(monkeypatch):
    """It may see more, where nvidia-smi lists none and nothing is locked; or fewer."""
    gpu = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA Pretended")
    assert [device.device_count(gpu, n) for n in (1, 3, 4)] == [1, 3, 3]
    assert device.device_count(torch.device("cpu"), 4) == 1
    assert device.device_name(gpu) == "NVIDIA Pretended"
    assert device.device_name(gpu, 2) == "2 x NVIDIA Pretended"
    assert device.device_name(torch.device("cpu")) == "cpu"
