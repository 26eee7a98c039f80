"""The device that a job computes on, and the precision of its training."""

import contextlib
import logging
import os
import re

import torch

from ouroboros.errors import UserError
from ouroboros.jobs import gpu_locks
from ouroboros.kernels import gpu_compilers

log = logging.getLogger("ouroboros")

OLDEST_DRIVER = {"12": 525, "13": 580}  # by CUDA's major version


def choose_device(gpus: int, threads: int) -> torch.device:
    """Lock `gpus` GPUs for this job and return "cuda", or "cpu" where it asks for none or there is none.

    On the CPU, torch computes with `threads` threads. Raises UserError where there is a GPU that
    this build of torch cannot use: the same job would take weeks on the CPU.
    """
    # cuBLAS reads this when it starts; without it, equal runs on a GPU can differ.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    if gpus:
        gpu_compilers.set_up(threads)
    locked = gpu_locks.lock_gpus(gpus) if gpus else []  # before torch looks for any
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
    if locked:
        raise UserError(_cannot_use(_reason_of_torch()))
    if gpus:
        log.warning("No GPU is visible to torch: this job runs on the CPU.")
    return torch.device("cpu")


def has_kernels_for(capability: tuple[int, int], architectures: list[str]) -> bool:
    """Tell whether a torch built for `architectures` computes on a GPU of this compute capability.

    `sm_86` runs on 8.6 and later 8.x, `compute_90` is compiled at load time for 9.0 and later,
    `sm_90a` runs on 9.0 alone. Names in another form are another vendor's: assumed to run.
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


def _reason_of_torch() -> str:
    """Why torch sees no GPU though the machine has one, in torch's own words where it gives any."""
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
    visible = os.environ.get(gpu_locks.VISIBLE_DEVICES, "device 0")
    return (
        f"This job has a GPU ({visible}) that torch cannot use: {reason}. The driver is "
        f"{gpu_locks.driver_version()}; torch is {torch.__version__}, built "
        + (f"for CUDA {cuda}" if cuda else "without CUDA")
        + (f", which needs driver {needed} or newer" if needed else "")
        + ". Update the driver, or install a build of torch that fits driver and GPU (pytorch.org "
        "lists them). To compute on the CPU all the same, give `--resources gpu=0`."
    )


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Mixed precision for training: `precision` is fp16, bf16 or fp32; a CPU takes fp16 as fp32."""
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": None}[precision]
    if dtype is None or (device.type == "cpu" and dtype is torch.float16):
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


def device_count(device: torch.device, gpus: int) -> int:
    """Number of devices that a job which asked for `gpus` computes on; the CPU counts as one."""
    return min(gpus, torch.cuda.device_count()) if device.type == "cuda" else 1


def device_name(device: torch.device, count: int = 1) -> str:
    """Name of the device for provenance: "cpu", or the model of its `count` GPUs."""
    if device.type == "cpu":
        return "cpu"
    name = torch.cuda.get_device_name(device)
    return f"{count} x {name}" if count > 1 else name
