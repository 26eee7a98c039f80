"""Causal attention within a window, without time x time scores where the device allows.

On the CPU a kernel of ours; on a GPU torch's flex_attention, compiled; elsewhere, and as the oracle
of both, `F.scaled_dot_product_attention` with a mask. GPT-Neo's dot products are not scaled.
"""

import functools

import torch
import torch.nn.functional as F

from ouroboros.kernels import cpu as native


def attention(qkv: torch.Tensor, span: int) -> torch.Tensor:
    """Every position attends to the `span` last ones, its own among them.

    qkv (batch, time, 3, heads, head) -> (batch, time, heads, head).
    """
    if qkv.device.type == "cpu" and native.usable(whole := qkv.float()):
        return _Native.apply(whole.contiguous(), span)
    if qkv.device.type == "cuda":
        return flex(qkv, span)
    return masked(qkv, span)


def masked(qkv: torch.Tensor, span: int) -> torch.Tensor:
    """By torch's own attention and a mask over time x time."""
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    mask = None if span >= qkv.shape[1] else _mask(qkv.shape[1], span, qkv.device)
    attended = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=mask is None, scale=1.0
    )
    return attended.transpose(1, 2)


@functools.lru_cache(maxsize=4)
def _mask(time, span, device):
    """Boolean (time, time), True where a position is seen."""
    steps = torch.arange(time, device=device)
    back = steps[:, None] - steps
    return (back >= 0) & (back < span)


def flex(qkv: torch.Tensor, span: int) -> torch.Tensor:
    """By torch's flex_attention, which leaves out what lies outside the window."""
    head = qkv.shape[-1]
    # it refuses heads narrower than 16; zeros change no dot product, and the scale is 1
    q, k, v = F.pad(qkv, (0, max(0, 16 - head))).permute(2, 0, 3, 1, 4)
    window = _window(qkv.shape[1], span, qkv.device)
    attended = _compiled_flex()(q, k, v, block_mask=window, scale=1.0)
    return attended[..., :head].transpose(1, 2)


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


class _Native(torch.autograd.Function):
    """Keeps the output and one logarithm per query; the backward makes the scores again."""

    @staticmethod
    def forward(ctx, qkv, span):
        batch, time, _, heads, head = qkv.shape
        out = qkv.new_empty(batch, time, heads, head)
        logs = qkv.new_empty(batch, heads, time)
        ctx.sizes = batch, time, heads, head, span
        native.call("attention_forward", qkv, out, logs, *ctx.sizes)
        ctx.save_for_backward(qkv, out, logs)
        return out

    @staticmethod
    def backward(ctx, grad):
        qkv, out, logs = ctx.saved_tensors
        to_qkv = torch.empty_like(qkv)
        native.call("attention_backward", qkv, out, logs, grad.contiguous(), to_qkv, *ctx.sizes)
        return to_qkv, None
