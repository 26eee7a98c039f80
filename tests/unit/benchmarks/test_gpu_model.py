"""benchmarks/gpu_model.py: its counts of the kernels are those of Triton's interpreter, and its sums add up."""

import os
import sys

import pytest
import torch
from tools import REPOSITORY

if torch.cuda.is_available():
    pytest.skip("the interpreter must not replace the GPU", allow_module_level=True)
os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton")
sys.path.insert(0, str(REPOSITORY / "benchmarks"))

import gpu_model
from triton.runtime.interpreter import InterpreterBuilder

from ouroboros.kernels import triton_cross_entropy, triton_kernels


@pytest.fixture
def counted(monkeypatch):
    """Bytes that are read and written where a mask lets them, and operations of products."""
    counts = dict.fromkeys(("read", "written", "products"), 0)
    load, store, dot = (
        getattr(InterpreterBuilder, f"create_{name}") for name in ("masked_load", "masked_store", "dot")
    )  # fmt: skip

    def loads(builder, ptrs, mask, other, *options):
        found = load(builder, ptrs, mask, other, *options)
        counts["read"] += int(mask.data.sum()) * found.data.itemsize
        return found

    def stores(builder, ptrs, value, mask, *options):
        counts["written"] += int(mask.data.sum()) * value.data.itemsize
        return store(builder, ptrs, value, mask, *options)

    def dots(builder, a, b, *options):
        counts["products"] += 2 * a.data.size * b.data.shape[-1]
        return dot(builder, a, b, *options)

    for name, function in (("masked_load", loads), ("masked_store", stores), ("dot", dots)):
        monkeypatch.setattr(InterpreterBuilder, f"create_{name}", function)
    return counts


@pytest.mark.parametrize("time", [0, 5, 15, 16, 40])
@pytest.mark.parametrize(("heads", "head", "programs"), [(16, 4, 1), (8, 48, 2)])
def test_attention(counted, time, heads, head, programs):
    qkv = torch.zeros(3, 3, heads * head, dtype=torch.float16)
    keys, values = torch.zeros(2, 3, 16, heads * head, dtype=torch.float16)
    triton_kernels.attention_step(qkv, keys, values, torch.tensor([time]), heads)
    assert counted == gpu_model.attention_step_counts(3, heads * head, 16, time, programs)


@pytest.mark.parametrize(("rows", "width", "tile"), [(70, 64, 64), (70, 144, 128)])
def test_output_layer(counted, rows, width, tile):
    hidden = torch.zeros(rows, width, dtype=torch.float16)
    triton_kernels.head_blocks(hidden, torch.zeros(600, width, dtype=torch.float16))
    assert counted == gpu_model.head_blocks_counts(rows, width, 600, tile)


def test_cross_entropy(counted):
    hidden = torch.zeros(70, 64, dtype=torch.float16)
    weights = torch.zeros(300, 64, dtype=torch.float16)
    triton_cross_entropy.cross_entropy(hidden, weights, torch.zeros(70, dtype=torch.int64))
    expected = gpu_model.cross_entropy_counts(70, 64, 300)
    first = gpu_model.head_blocks_counts(70, 64, 300, 64)
    assert counted == {key: expected[key] + first[key] for key in counted}


def test_a_change_makes_nothing_slower():
    """And what is left when all are made is the floor's and more."""
    gpu = gpu_model.GPU()
    for name, floors in gpu_model.FLOORS.items():
        model, made = gpu_model.Sizes.of(name), set()
        before = [float("inf")] * 2
        for change in gpu_model.CHANGES:
            made.add(change)
            now = [gpu_model.sampling(model, made, gpu), gpu_model.training(model, made, gpu)]
            assert all(a <= b for a, b in zip(now, before, strict=True)), change
            before = now
        assert all(a > floor for a, floor in zip(before, floors, strict=True))
