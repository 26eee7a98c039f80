"""Causal attention within a window, without a time x time matrix of scores where possible.

On the CPU by a kernel of our own; in training on a GPU by torch's flex_attention, compiled; elsewhere,
and as the reference of both, by `F.scaled_dot_product_attention` with a mask. GPT-Neo's dot products
are not scaled.
"""

import functools

import torch
import torch.nn.functional as F

from ouroboros.kernels import cpu, gpu_compilers


def attention(qkv: torch.Tensor, span: int) -> torch.Tensor:
    """Attend from every position to the last `span` ones, its own among them.

    qkv (batch, time, 3, heads, head) -> (batch, time, heads, head).
    """
    if qkv.device.type == "cpu" and cpu.usable(whole := qkv.float()):
        return _CPUAttention.apply(whole.contiguous(), span)
    # without gradients it is measured in fp32, for which flex_attention's code spills registers
    if qkv.device.type == "cuda" and qkv.requires_grad and flex_usable(*qkv.shape[3:]):
        return flex(qkv, span)
    return masked(qkv, span)


def masked(qkv: torch.Tensor, span: int) -> torch.Tensor:
    """The same by torch's own attention and a mask over time x time."""
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    mask = None if span >= qkv.shape[1] else _mask(qkv.shape[1], span, qkv.device)
    attended = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=mask is None, scale=1.0
    )
    return attended.transpose(1, 2)


@functools.lru_cache(maxsize=4)
def _mask(time, span, device):
    """Boolean (time, time), True where a query attends to a key."""
    steps = torch.arange(time, device=device)
    back = steps[:, None] - steps
    return (back >= 0) & (back < span)


def flex(qkv: torch.Tensor, span: int) -> torch.Tensor:
    """The same by torch's flex_attention, which skips blocks outside the window."""
    head = qkv.shape[-1]
    if head < 16:  # which it refuses; zeros change no dot product, and the scale is 1
        qkv = F.pad(qkv, (0, 16 - head))
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    window = _window(qkv.shape[1], span, qkv.device)
    attended = _compiled_flex()(q, k, v, block_mask=window, scale=1.0)
    return attended[..., :head].transpose(1, 2)


@functools.cache
def flex_usable(heads: int, head: int) -> bool:
    """Tell whether flex_attention, with its gradient, can be compiled for heads of this width."""

    def attempt():
        tried = torch.zeros(2, 64, 3, heads, head, device="cuda", dtype=torch.float16)
        flex(tried.requires_grad_(), 32).sum().backward()

    return gpu_compilers.usable("cuda") and gpu_compilers.works("flex_attention", attempt)


@functools.cache
def _compiled_flex():
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention)


@functools.lru_cache(maxsize=4)
def _window(time, span, device):
    from torch.nn.attention.flex_attention import create_block_mask

    def seen(_batch, _head, query, key):
        return (query >= key) & (query - key < span)

    return create_block_mask(seen, None, None, time, time, device=device)


class _CPUAttention(torch.autograd.Function):
    """Save the output and one logarithm per query; the backward computes the scores again."""

    @staticmethod
    def forward(ctx, qkv, span):
        batch, time, _, heads, head = qkv.shape
        out = qkv.new_empty(batch, time, heads, head)
        logs = qkv.new_empty(batch, heads, time)
        ctx.sizes = batch, time, heads, head, span
        cpu.call("attention_forward", qkv, out, logs, *ctx.sizes)
        ctx.save_for_backward(qkv, out, logs)
        return out

    @staticmethod
    def backward(ctx, grad):
        qkv, out, logs = ctx.saved_tensors
        to_qkv = torch.empty_like(qkv)
        cpu.call("attention_backward", qkv, out, logs, grad.contiguous(), to_qkv, *ctx.sizes)
        return to_qkv, None
