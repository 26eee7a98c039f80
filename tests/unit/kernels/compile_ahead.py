"""Compile the Triton kernels for GPUs that are not here: `python compile_ahead.py 80 89 90`, a JSON line per kernel."""

import json
import re
import subprocess
import sys
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from ouroboros.kernels import triton_cross_entropy as loss
from ouroboros.kernels import triton_kernels as kernels

PROGRAMS = Path(triton.__file__).parent / "backends/nvidia/bin"
HALF, SINGLE, DOUBLE, WHOLE = "*fp16", "*fp32", "*fp64", "*i64"
MODELS = {"1m": (16, 4), "33m": (16, 48)}  # heads, and features of each


def attention(heads, head):
    types = dict.fromkeys(("qkv", "keys", "values", "out"), HALF) | {"position": WHOLE, "slots": "i32"}  # fmt: skip
    padded = triton.next_power_of_2(head)
    group = min(heads & -heads, max(1, 256 // padded))
    constants = {
        "WIDTH": heads * head, "HEADS": group, "HEAD": head, "PADDED": padded,
        "TILE": max(1, 4096 // (group * padded)),
    }  # fmt: skip
    return kernels._attention_step, types, constants, {}


def blocks(heads, head, capability):
    width = heads * head
    types = {
        "hidden": HALF, "weights": HALF, "maxima": SINGLE, "sums": SINGLE, "rows": "i32", "vocabulary": "i32",
    }  # fmt: skip
    constants = {"WIDTH": width, "STEP": 64, "TILE": 64 if width <= 128 else 128}
    options = {"num_warps": 8, "num_stages": 3 if capability >= 90 else 2}
    return kernels._head_blocks, types, constants, options


def draws(heads, head):
    types = {
        "hidden": HALF, "weights": HALF, "maxima": SINGLE, "sums": SINGLE, "uniforms": DOUBLE,
        "position": WHOLE, "tokens": WHOLE, "latest": WHOLE, "rows": "i32", "vocabulary": "i32", "blocks": "i32",
    }  # fmt: skip
    return kernels._head_draw, types, {"WIDTH": heads * head, "STEP": 64, "BLOCKS": 256}, {}


def losses(name):
    """Of the 1m alone."""
    types = {
        "hidden": HALF, "weights": HALF, "targets": WHOLE, "logs": SINGLE,
        "out": HALF if name == "_to_hidden" else SINGLE, "rows": "i32", "vocabulary": "i32",
    }  # fmt: skip
    constants = {"WIDTH": 64, "PADDED": 64, "ROWS": loss.ROWS, "TOKENS": loss.TOKENS}
    return getattr(loss, name), types, constants, {}


def compiled(capability, function, types, constants, options):
    """Bytes of stack and shared memory that a kernel needs on a GPU, and how often it uses tensor cores."""
    names = function.arg_names
    aligned = [name for name in types if types[name].startswith("*") or name in ("rows", "slots")]
    source = ASTSource(
        function,
        signature={name: types.get(name, "constexpr") for name in names},
        constexprs=constants,
        attrs={(names.index(name),): [["tt.divisibility", 16]] for name in aligned},
    )
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    # the assembler's own report
    ptx = made.asm["ptx"]
    said = subprocess.run(
        [PROGRAMS / "ptxas", "-v", f"--gpu-name=sm_{capability}{'a' * (capability >= 90)}", "-o", "/dev/null", "/dev/stdin"],
        input=ptx, text=True, capture_output=True, check=True,
    ).stderr  # fmt: skip
    return {
        "stack": int(re.search(r"(\d+) bytes stack frame", said)[1]),
        "spills": int(re.search(r"(\d+) bytes spill stores", said)[1]),
        "shared": made.metadata.shared,
        "tensor_cores": len(re.findall(r"wgmma.mma_async|mma.sync", ptx)),
        "copies_ahead": len(re.findall(r"cp.async.c[ag]", ptx)),
    }


def main():
    for capability in map(int, sys.argv[1:]):
        for model, sizes in MODELS.items():
            for name, program in (
                ("attention", attention(*sizes)),
                ("blocks", blocks(*sizes, capability)),
                ("draws", draws(*sizes)),
                *((name, losses(name)) for name in ("_to_hidden", "_to_head") if model == "1m"),
            ):
                found = compiled(capability, *program)
                line = {"capability": capability, "model": model, "kernel": name, **found}
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
