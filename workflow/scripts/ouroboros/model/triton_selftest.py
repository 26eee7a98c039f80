"""Self-test of the Triton kernels: each job on a GPU compares them with PyTorch at its model's own sizes.

GPUs and compilers differ, and a kernel is another program for each size. Where one does not
compile, or differs from PyTorch, PyTorch's own functions are used, more slowly.
"""

import functools
import importlib

import torch
import torch.nn.functional as F

from ouroboros.kernels import gpu_compilers
from ouroboros.model.exact_draw import draw, products

ROWS = 130  # more than one tile of the output layer's kernel
WIDEST = 128  # model whose loss has a kernel: a tile's states, sums and gradients are in registers


@functools.cache
def attention_kernels(device: str, heads: int, head: int, slots: int):
    """The module `triton_kernels`, or None where its attention of these sizes cannot be used."""
    return _checked(device, lambda kernels: check_attention(kernels, device, heads, head, slots))


@functools.cache
def head_kernels(device: str, width: int, vocabulary: int):
    """The module `triton_kernels`, or None where its output layer of these sizes cannot be used."""
    return _checked(device, lambda kernels: check_head(kernels, device, width, vocabulary))


@functools.cache
def loss_kernels(device: str, width: int, vocabulary: int):
    """The module `triton_cross_entropy`, or None where a model is too wide for it or it cannot be used."""
    if width > WIDEST:
        return None
    return _checked(
        device, lambda kernels: check_loss(kernels, device, width, vocabulary), "triton_cross_entropy"
    )  # fmt: skip


def _checked(device, check, name="triton_kernels"):
    if device != "cuda" or not gpu_compilers.usable(device):
        return None
    load = functools.partial(importlib.import_module, f"ouroboros.kernels.{name}")
    return load() if gpu_compilers.works("A Triton kernel", lambda: check(load())) else None


def check_attention(
    triton_kernels, device: str, heads: int, head: int, slots: int, dtype=torch.float16
):
    """Raise ArithmeticError unless a decode step's attention agrees with PyTorch's.

    At positions where tiles and the ring begin, end and begin again; other positions are only stored.
    """
    generator = torch.Generator().manual_seed(0)
    rows, width, last = 3, heads * head, slots + 17
    # of a size that leaves the softmax many positions, as unscaled dot products of a model do
    history = torch.randn(last + 1, rows, 3, width, generator=generator) / head**0.25
    history = history.to(device, dtype)
    keys, values = torch.zeros(2, rows, slots, width, dtype=dtype, device=device)
    looked_at = {0, 1, 15, 16, 17, slots - 1, slots, slots + 1, last}
    for time in range(last + 1):
        if time not in looked_at:
            keys[:, time % slots], values[:, time % slots] = (
                history[time, :, 1],
                history[time, :, 2],
            )
            continue
        now = torch.tensor([time], device=device)
        out = triton_kernels.attention_step(history[time], keys, values, now, heads)
        seen = history[max(0, time + 1 - slots) : time + 1].float().unflatten(3, (heads, head))
        scores = torch.einsum("rhd,trhd->rht", seen[-1, :, 0], seen[:, :, 1])
        expected = torch.einsum("rht,trhd->rhd", scores.softmax(-1), seen[:, :, 2]).flatten(1)
        _agree("attention", (out - expected).abs().max(), 1e-2)


def check_head(triton_kernels, device: str, width: int, vocabulary: int, dtype=torch.float16):
    """Raise ArithmeticError unless sums and draws of an output layer agree with PyTorch's."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(ROWS, width, generator=generator).to(device, dtype)
    weights = torch.randn(vocabulary, width, generator=generator) * 2 / width**0.5
    weights = weights.to(device, dtype)
    uniforms = torch.rand(ROWS, dtype=torch.float64, generator=generator).to(device)
    logits = products(hidden, weights)
    maxima, sums = triton_kernels.head_blocks(hidden, weights)
    _agree("head", ((maxima + sums.log()).logsumexp(1) - logits.logsumexp(1)).abs().max(), 1e-3)
    drawn = draw_tokens(triton_kernels, hidden, weights, uniforms)
    # sums in another order may move the border between two tokens past a uniform
    _agree("draws", (drawn != draw(logits, uniforms)).float().mean(), 0.04)


def check_loss(kernels, device: str, width: int, vocabulary: int, dtype=torch.float16):
    """Raise ArithmeticError unless losses and gradients agree with PyTorch's in float32."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(ROWS, width, generator=generator).to(device, dtype)
    weights = torch.randn(vocabulary, width, generator=generator) * 2 / width**0.5
    weights = weights.to(device, dtype)
    targets = torch.randint(vocabulary, (ROWS,), generator=generator).to(device)
    losses, *gradients = kernels.cross_entropy(hidden, weights, targets)
    with torch.enable_grad():  # a loss is computed where gradients are off
        states, head = (part.float().requires_grad_() for part in (hidden, weights))
        expected = F.cross_entropy(states @ head.T, targets, reduction="none")
        wanted = torch.autograd.grad(expected.sum(), (states, head))
    _agree("losses", (losses - expected).abs().max(), 1e-3)
    for found, right in zip(gradients, wanted, strict=True):
        _agree("gradient", (found.float() - right).norm() / right.norm(), 5e-3)


def draw_tokens(triton_kernels, hidden, weights, uniforms):
    """One token per row, as `output_head.Head.draw`."""
    maxima, sums = triton_kernels.head_blocks(hidden, weights)
    time = torch.zeros(1, dtype=torch.int64, device=hidden.device)
    tokens = time.new_empty(1, len(hidden))
    triton_kernels.head_draw(
        hidden, weights, maxima, sums, uniforms[None], time, tokens, tokens[0].clone()
    )
    return tokens[0]


def _agree(what, difference, bound):
    if not difference <= bound:
        raise ArithmeticError(f"{what}: the difference is {difference:.2g}, more than {bound}")
