"""The compilers of a GPU's code: tried on a CPU, where torch.compile wants a C++ compiler and a folder alike."""

import logging
import os
import subprocess
import sys

import pytest
import torch
from tools import REPOSITORY

from ouroboros.kernels import gpu_compilers


def usable(tmp_path, **environment):
    """The answer of `usable("cpu")` in a process of its own, and its log."""
    code = "from ouroboros.kernels import gpu_compilers as c; c.set_up(1); print(c.usable('cpu'))"
    ran = subprocess.run(
        [sys.executable, "-c", code], check=True, text=True, capture_output=True,
        env={name: value for name, value in os.environ.items() if "INDUCTOR" not in name} | {
            "PYTHONPATH": str(REPOSITORY / "workflow/scripts"), "XDG_CACHE_HOME": str(tmp_path),
            **environment,
        },
    )  # fmt: skip
    return ran.stdout.strip(), ran.stderr


@pytest.mark.slow
def test_a_machine_with_a_compiler_can(tmp_path):
    said, _ = usable(tmp_path)
    assert said == "True"
    assert (tmp_path / "ouroboros/inductor").is_dir()


@pytest.mark.parametrize(
    "without",
    [
        {"CXX": "/nowhere/g++", "PATH": "/nowhere"},  # a compiler
        {"TORCHINDUCTOR_CACHE_DIR": "/proc/nowhere"},  # a folder
    ],
)
def test_a_machine_that_cannot_says_so_once_and_goes_on(without, tmp_path):
    said, log = usable(tmp_path, **without)
    assert said == "False"
    assert "PyTorch's own functions are used: right, but slower" in log


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_it_is_asked_within_a_sampler_as_within_a_loss(mode, monkeypatch):
    """Where gradients are off, or tensors are made that can have none."""
    monkeypatch.setattr(torch, "compile", lambda function: function)
    with mode():
        assert gpu_compilers.usable.__wrapped__("cpu")


def test_gpus_without_tensor_cores_for_triton_are_not_compiled_for(monkeypatch, caplog):
    """The T4 has compute capability 7.5."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    with caplog.at_level(logging.WARNING, "ouroboros"):
        assert not gpu_compilers.usable.__wrapped__("cuda")
    assert "a GPU of compute capability 7.5" in caplog.text


def test_folders_and_threads_that_the_environment_names_are_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TRITON_CACHE_DIR", "mine")
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TORCHINDUCTOR_COMPILE_THREADS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    gpu_compilers.set_up(3)
    assert os.environ["TRITON_CACHE_DIR"] == "mine"
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "ouroboros/inductor")
    assert os.environ["TORCHINDUCTOR_COMPILE_THREADS"] == "3"
