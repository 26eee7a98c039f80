"""Which device a job computes on, and in what precision."""

import contextlib
import logging
import os

import torch

from ouroboros import gpus as machine

log = logging.getLogger("ouroboros")


def choose_device(gpus: int, threads: int) -> torch.device:
    """The GPU where the job asked for one and there is one, else the CPU with `threads` threads."""
    # cuBLAS reads this when it starts; without it, equal runs on a GPU can differ.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    if gpus:
        machine.take(gpus)  # before torch looks for any
    if gpus and torch.cuda.is_available():
        return torch.device("cuda")
    if gpus:
        log.warning("No GPU is visible to torch: this job runs on the CPU.")
    return torch.device("cpu")


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Mixed precision of training; fp16 is for GPUs, so a CPU computes in fp32 instead."""
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": None}[precision]
    if dtype is None or (device.type == "cpu" and dtype is torch.float16):
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


def count(device: torch.device, gpus: int) -> int:
    """How many devices a job that asked for `gpus` computes on; a CPU is one."""
    return min(gpus, torch.cuda.device_count()) if device.type == "cuda" else 1


def describe(device: torch.device, devices: int = 1) -> str:
    """The device in words, for provenance."""
    if device.type == "cpu":
        return "cpu"
    name = torch.cuda.get_device_name(device)
    return f"{devices} x {name}" if devices > 1 else name
