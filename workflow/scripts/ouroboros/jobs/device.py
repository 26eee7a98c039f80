"""Which device a job computes on, and in what precision."""

import contextlib
import logging
import os
import re

import torch

from ouroboros.errors import UserError
from ouroboros.jobs import gpu_locks as machine

log = logging.getLogger("ouroboros")

OLDEST_DRIVER = {"12": 525, "13": 580}  # by CUDA's major version


def choose_device(gpus: int, threads: int) -> torch.device:
    """The GPU where the job asked for one and there is one, else the CPU with `threads` threads.

    UserError where there is a GPU that this build of torch cannot compute on: the CPU would take weeks.
    """
    # cuBLAS reads this when it starts; without it, equal runs on a GPU can differ.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    taken = machine.take(gpus) if gpus else []  # before torch looks for any
    if gpus and torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            capability = torch.cuda.get_device_capability(index)
            if not has_kernels_for(capability, architectures := torch.cuda.get_arch_list()):
                raise UserError(
                    _cannot_use(
                        f"its compute capability is {capability[0]}.{capability[1]}, and this torch is "
                        f"built for {', '.join(architectures)}"
                    )
                )
        return torch.device("cuda")
    if taken:
        raise UserError(_cannot_use(_torchs_reason()))
    if gpus:
        log.warning("No GPU is visible to torch: this job runs on the CPU.")
    return torch.device("cpu")


def has_kernels_for(capability: tuple[int, int], architectures: list[str]) -> bool:
    """Tell whether a torch built for `architectures` computes on a GPU of this compute capability.

    `sm_86` runs on 8.6 and later 8.x, `compute_90` is compiled on the spot for 9.0 and later,
    `sm_90a` runs on 9.0 alone. Names in another form are another maker's: torch is believed.
    """
    for name in architectures:
        if not (found := re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", name)):
            return True
        kind, major, minor, suffix = found.groups()
        built = int(major), int(minor)
        later = built < capability and (kind == "compute" or built[0] == capability[0])
        if capability == built or (later and suffix != "a"):
            return True
    return False


def _torchs_reason() -> str:
    """Why torch sees no GPU though the machine has one, in torch's own words where it has any."""
    if torch.version.cuda is None and torch.version.hip is None:
        return "this torch is built for CPUs alone"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return f"torch says: {str(error).strip().splitlines()[0].rstrip('.')}"
    return "torch finds none"


def _cannot_use(reason):
    cuda = torch.version.cuda
    needed = OLDEST_DRIVER.get((cuda or "").split(".")[0])
    return (
        f"This job has a GPU ({os.environ.get(machine.VISIBLE, 'device 0')}) that torch cannot use: "
        f"{reason}. The driver is {machine.driver()}; torch is {torch.__version__}, built "
        + (f"for CUDA {cuda}" if cuda else "without CUDA")
        + (f", which needs driver {needed} or newer" if needed else "")
        + ". Update the driver, or install a build of torch that fits driver and GPU (pytorch.org "
        "lists them). To compute on the CPU all the same, give `--resources gpu=0`."
    )


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
