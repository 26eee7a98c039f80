"""The Triton kernels as machine code of GPUs that are not here, by Triton's own compiler and assembler."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tools import REPOSITORY

pytest.importorskip("triton")

SHARED = {80: 163 * 1024, 89: 99 * 1024, 90: 227 * 1024}  # bytes that a block may have


@pytest.mark.parametrize(
    "capability", [pytest.param(80, marks=pytest.mark.slow), 89, pytest.param(90, marks=pytest.mark.slow)]
)  # fmt: skip
def test_a_kernel_fits_its_gpu_and_uses_it(capability, tmp_path):
    environment = {
        name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"
    } | {"PYTHONPATH": str(REPOSITORY / "workflow/scripts"), "TRITON_CACHE_DIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("compile_ahead.py"), str(capability)],
        check=True, text=True, capture_output=True, env=environment,
    )  # fmt: skip
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {(each["model"], each["kernel"]) for each in found} == {
        *((model, kernel) for model in ("1m", "33m") for kernel in ("attention", "blocks", "draws")),
        ("1m", "_to_hidden"), ("1m", "_to_head"),
    }  # fmt: skip
    for each in found:
        assert each["shared"] <= SHARED[capability], each
        assert each["stack"] <= 40, each  # a few registers of the widest output layer, before 9.0
        assert bool(each["tensor_cores"]) == (each["kernel"] not in ("attention", "draws")), each
        assert each["kernel"] != "attention" or each["copies_ahead"], each
