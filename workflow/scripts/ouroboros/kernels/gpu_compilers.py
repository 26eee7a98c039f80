"""The compilers of a GPU's code, torch.compile and Triton: where they keep it, and whether they work.

They want a C compiler, Python's headers and a folder to write to, which a machine may lack; and for
GPUs before compute capability 8.0 they make code that is slower than PyTorch's own functions.
"""

import functools
import logging
import os
from collections.abc import Callable

import torch

from ouroboros.kernels.cache import cache_folder

LEAST_CAPABILITY = (8, 0)  # before it Triton's products use no tensor cores, and spill registers

log = logging.getLogger("ouroboros")


def set_up(threads: int):
    """Give the compilers a folder and this many threads, where the environment names none.

    They read this when they start. Their own default is 32 processes, whatever memory the job has.
    """
    folder = cache_folder()
    for variable, value in {
        "TRITON_CACHE_DIR": folder / "triton",
        "TORCHINDUCTOR_CACHE_DIR": folder / "inductor",
        "TORCHINDUCTOR_COMPILE_THREADS": threads,
    }.items():
        os.environ.setdefault(variable, str(value))


@functools.cache
def usable(device: str) -> bool:
    """Tell whether code can be compiled for "cuda" or "cpu", by compiling a tiny function with its gradient."""

    def attempt():
        if device == "cuda" and (found := torch.cuda.get_device_capability()) < LEAST_CAPABILITY:
            raise NotImplementedError(f"a GPU of compute capability {found[0]}.{found[1]}")
        with torch.inference_mode(False), torch.enable_grad():  # whatever the caller is about
            tried = torch.ones(8, device=device, requires_grad=True)
            torch.compile(lambda x: (x * x).exp().sum())(tried).backward()

    return works(
        "Compiling for a GPU (which wants a C compiler, Python's header files and compute capability 8.0)",
        attempt,
    )


def works(what: str, attempt: Callable[[], None]) -> bool:
    """Tell whether `attempt` goes through; where not, log why, and that PyTorch's own functions take over."""
    try:
        attempt()
        return True
    except Exception as error:  # a compiler for unknown hardware may raise anything
        reason = next(iter(str(error).strip().splitlines()), "")  # compilers go on for pages
        log.warning(
            "%s does not work here, so PyTorch's own functions are used: right, but slower. (%s: %s)",
            what, type(error).__name__, reason,
        )  # fmt: skip
        return False
