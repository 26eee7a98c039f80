"""The compilers of a GPU's code, torch.compile and Triton: where they keep it, and whether they work.

They want a C compiler, Python's headers and a folder to write to, which a machine may lack; and for
GPUs before compute capability 8.0 they make code that is slower than PyTorch's own functions.
"""

import functools
import logging
import os

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
    """Tell whether code can be compiled for "cuda" or "cpu"; where not, why is logged once.

    It compiles a tiny function with its gradient.
    """
    try:
        if device == "cuda" and (found := torch.cuda.get_device_capability()) < LEAST_CAPABILITY:
            raise NotImplementedError(f"a GPU of compute capability {found[0]}.{found[1]}")
        with torch.inference_mode(False), torch.enable_grad():  # whatever the caller is about
            tried = torch.ones(8, device=device, requires_grad=True)
            torch.compile(lambda x: (x * x).exp().sum())(tried).backward()
        return True
    except Exception as error:  # a compiler for unknown hardware may raise anything
        log.warning(
            "Nothing can be compiled for this GPU, so PyTorch's own functions are used: right, but slower. "
            "A C compiler (gcc), Python's header files and a GPU of compute capability 8.0 or newer are needed. "
            "(%s: %s)", type(error).__name__, first_line(error),
        )  # fmt: skip
        return False


def first_line(error: Exception) -> str:
    """What an error says first; compilers go on for pages."""
    return next(iter(str(error).strip().splitlines()), "")
