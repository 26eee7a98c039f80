"""CPU kernels in C++, compiled on first use for the CPU at hand; without a compiler PyTorch computes.

A GPT-Neo of one million parameters spends its time on 50,257 exponentials per token and on heads of
four features, for which no library has a fast kernel. These are 1,000 lines without dependencies,
called through ctypes: torch's extension builder would need half a minute for its headers, and
leaves a lock behind when it is killed. PyTorch's own functions are several times slower.
"""

import ctypes
import functools
import hashlib
import logging
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

from ouroboros.kernels.cache import cache_folder

log = logging.getLogger("ouroboros")

SOURCES = sorted(Path(__file__).parent.glob("*.cpp"))
HEADERS = sorted(Path(__file__).parent.glob("*.h"))
FLAGS = ["-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-std=c++17", "-shared", "-fPIC"]


class CompilerError(Exception):
    """There is no compiler, or it fails."""


@functools.cache
def kernels() -> ctypes.CDLL | None:
    """The library of compiled kernels; None, with one warning, where it cannot be built or loaded."""
    try:
        return ctypes.CDLL(str(_build()))
    except CompilerError as error:
        remedy = "Install a C++ compiler (g++), or name one that works in CXX"
        reason = str(error)
    except OSError as error:  # of the cache: full, or of a kind that no program may be loaded from
        remedy, reason = "Name another folder for them in XDG_CACHE_HOME", str(error)
    log.warning(
        "The native kernels cannot be built, so PyTorch's own are used: right, but several times "
        "slower on a CPU. %s. (%s)",
        remedy,
        reason,
    )
    return None


def usable(*tensors: torch.Tensor) -> bool:
    """True where the kernels are compiled and all tensors are float32 on the CPU."""
    return all(
        tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in tensors
    ) and bool(kernels())


def call(name: str, *arguments: torch.Tensor | int | None):
    """Run the kernel `name` with as many threads as torch uses.

    Contiguous tensors are passed as pointers (None as a null pointer), integers as int64.
    """
    converted = []
    for argument in arguments:
        if argument is None:
            converted.append(ctypes.c_void_p(None))
        elif isinstance(argument, torch.Tensor):
            assert argument.is_contiguous(), name
            converted.append(ctypes.c_void_p(argument.data_ptr()))
        else:
            converted.append(ctypes.c_int64(argument))
    getattr(kernels(), name)(*converted, ctypes.c_int(torch.get_num_threads()))


def panels(weights: torch.Tensor) -> torch.Tensor:
    """Weights (vocabulary, width) in the layout of the output layer's kernels.

    Returns (panels, width, outputs per panel), padded with zeros.
    """
    vocabulary, width = weights.shape
    size = kernels().head_panel()
    padded = F.pad(weights.detach(), (0, 0, 0, -vocabulary % size))
    return padded.view(-1, size, width).transpose(1, 2).contiguous()


def _build() -> Path:
    """Path of the shared library for this compiler, CPU and source; compiled unless cached."""
    # what -march=native means here: machines with other CPUs may share the cache
    target = _compile("-march=native", "-E", "-v", "-x", "c++", os.devnull)
    code = [path.read_text(encoding="utf-8") for path in SOURCES + HEADERS]
    digest = hashlib.sha256("\n".join([target, *FLAGS, *code]).encode()).hexdigest()[:16]
    library = cache_folder() / f"kernels-{digest}.so"
    if not library.exists():
        # to a file of its own first: other jobs may build too, and this one may be killed
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            made = Path(folder, library.name)
            _compile(*FLAGS, "-o", made, *SOURCES)
            made.rename(library)
    return library


def _compile(*arguments) -> str:
    """The output of the compiler; CompilerError, with its own words, where it fails."""
    compiler = os.environ.get("CXX") or "g++"
    try:
        # CXX="ccache g++" is two words, as in a Makefile
        words = [compiler] if shutil.which(compiler) else shlex.split(compiler)
        return subprocess.run(
            [*words, *arguments], capture_output=True, text=True, check=True
        ).stderr  # fmt: skip
    except FileNotFoundError as error:
        raise CompilerError(f"no {error.filename} on the PATH") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"{compiler} fails without a word"]
        said = next((line for line in lines if "error:" in line), lines[-1])
        raise CompilerError(said.strip()) from error
    except (OSError, ValueError) as error:
        raise CompilerError(f"CXX is {compiler}: {error}") from error
