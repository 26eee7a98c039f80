"""Self-test of the Triton kernels: each job on a GPU compares them with PyTorch on a small case.

GPUs and compilers differ. Where the kernels do not compile, or differ from PyTorch, PyTorch's own
functions are used, more slowly.
"""

import functools
import logging

import torch

from ouroboros.model.exact_draw import draw, products

log = logging.getLogger("ouroboros")


@functools.cache
def kernels(device: str):
    """The module `triton_kernels`, or None on a CPU or where its kernels fail, which is logged once."""
    if device != "cuda":
        return None
    try:
        from ouroboros.kernels import triton_kernels

        check(triton_kernels, device, torch.float16)
        return triton_kernels
    except Exception as error:  # a compiler for unknown hardware may raise anything
        log.warning(
            "The Triton kernels do not work on this GPU, so PyTorch's functions are used: right, but "
            "slower. (%s: %s)", type(error).__name__, str(error).splitlines()[0] if str(error) else "",
        )  # fmt: skip
        return None


def check(triton_kernels, device: str, dtype: torch.dtype):
    """Raise ArithmeticError unless attention and draws agree with PyTorch's."""
    generator = torch.Generator().manual_seed(0)
    rows, slots, heads, head = 5, 24, 4, 16
    qkv = torch.randn(40, rows, 3, heads * head, generator=generator).to(device, dtype)
    keys, values = torch.zeros(2, rows, slots, heads * head, dtype=dtype, device=device)
    for time in range(40):
        device_time = torch.tensor([time], device=device)
        out = triton_kernels.attention_step(qkv[time], keys, values, device_time, heads)
        seen = qkv[max(0, time + 1 - slots) : time + 1].float().unflatten(3, (heads, head))
        scores = torch.einsum("rhd,trhd->rht", seen[-1, :, 0], seen[:, :, 1])
        expected = torch.einsum("rht,trhd->rhd", scores.softmax(-1), seen[:, :, 2]).flatten(1)
        _agree("attention", (out - expected).abs().max(), 1e-2)
    hidden = torch.randn(300, 64, generator=generator).to(device, dtype)
    weights = torch.randn(1000, 64, generator=generator).to(device, dtype)
    uniforms = torch.rand(300, dtype=torch.float64, generator=generator).to(device)
    logits = products(hidden, weights)
    maxima, sums = triton_kernels.head_blocks(hidden, weights)
    _agree("head", ((maxima + sums.log()).logsumexp(1) - logits.logsumexp(1)).abs().max(), 1e-3)
    drawn = draw_tokens(triton_kernels, hidden, weights, uniforms)
    # sums in another order may move the border between two tokens past a uniform
    _agree("draws", (drawn != draw(logits, uniforms)).float().mean(), 0.02)


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
