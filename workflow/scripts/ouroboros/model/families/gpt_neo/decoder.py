"""Decoding: the final state of one new token per sequence, from cached keys and values.

The caches are rings of fixed size: a layer that looks back `span` positions has `span` slots, and
position t is in slot t modulo `span`. Attention does not depend on the order of the slots.
"""

import torch

from ouroboros.kernels import cpu
from ouroboros.model import triton_selftest

SLOT_MULTIPLE = 64  # so that few CUDA graphs are captured, Layer attends to a multiple of this


def padded_slots(time: int) -> int:
    """The number of slots, `time` among them, that Layer attends to at this time."""
    return (time // SLOT_MULTIPLE + 1) * SLOT_MULTIPLE


class GPTNeoDecoder:
    """Decode steps of `rows` sequences of up to `length` tokens; keys and values are of `dtype`."""

    def __init__(self, model, rows: int, length: int, dtype: torch.dtype = torch.float32):
        self.model = model
        slots = [min(block.span, length) for block in model.blocks]
        kind = Layer
        if dtype == torch.float32 and cpu.usable(model.head):
            kind = CPULayer
        elif all(_kernels(block, each) for block, each in zip(model.blocks, slots, strict=True)):
            kind = GPULayer
        self.layers = [
            kind(block, rows, each, dtype) for block, each in zip(model.blocks, slots, strict=True)
        ]

    def graph_key(self, time: int) -> int:
        """The key of a step's CUDA graph: steps with the same key can replay one graph."""
        return 0 if isinstance(self.layers[0], GPULayer) else padded_slots(time)

    def step(self, ids: torch.Tensor, time: int, device_time: torch.Tensor) -> torch.Tensor:
        """Tokens (rows,) at position `time` -> their final states (rows, width).

        `device_time`, int64 (1,), is the same number on the device, where a replayed step reads it.
        Times run from 0 upwards; at 0 the caches begin again.
        """
        x = self.model.wte(ids) + self.model.wpe.weight[device_time]
        for layer in self.layers:
            x = layer.step(x, time, device_time)
        return self.model.ln_f(x)


def _kernels(block, slots):
    """The Triton kernels, where they can be used for this block."""
    weights = block.out.weight
    head = len(weights) // block.heads
    return triton_selftest.attention_kernels(weights.device.type, block.heads, head, slots)


class Layer:
    """One block's step by torch's own functions; the time is read from the device, for CUDA graphs."""

    def __init__(self, block, rows, slots, dtype):
        self.block, self.rows, self.slots, self.heads = block, rows, slots, block.heads
        self.head = block.out.in_features // block.heads
        self.keys, self.values = self.empty(dtype, block.out.weight.device)

    def empty(self, dtype, device):
        # zeros, since slots not written yet are multiplied by a weight of zero
        shape = 2, self.rows, self.heads, self.slots, self.head
        self.numbers = torch.arange(self.slots, device=device)
        return torch.zeros(shape, dtype=dtype, device=device)

    def step(self, x, time: int, device_time):
        """The block's forward for one position: x (rows, width) -> (rows, width)."""
        block = self.block
        return block.rest(x, self.attend(block.queries(x), time, device_time))

    def attend(self, qkv, time, device_time):
        """Cache position `time` and attend to all within the span: (rows, 3 * width) -> (rows, width)."""
        dtype = self.keys.dtype
        q, k, v = qkv.to(dtype).view(self.rows, 3, self.heads, 1, self.head).unbind(1)
        slot = device_time % self.slots
        self.keys.index_copy_(2, slot, k)
        self.values.index_copy_(2, slot, v)
        width = min(self.slots, padded_slots(time))
        scores = (q @ self.keys[:, :, :width].transpose(-1, -2)).float()
        scores = scores.masked_fill(self.numbers[:width] > device_time, float("-inf"))
        weights = scores.softmax(-1).to(dtype)
        return (weights @ self.values[:, :, :width]).view(self.rows, -1).to(qkv.dtype)


class GPULayer(Layer):
    """Attention by the Triton kernel, which reads the slots in use alone."""

    def empty(self, dtype, device):
        return torch.zeros(
            2, self.rows, self.slots, self.heads * self.head, dtype=dtype, device=device
        )

    def attend(self, qkv, time, device_time):
        qkv = qkv.unflatten(1, (3, -1)).contiguous()
        return _kernels(self.block, self.slots).attention_step(
            qkv, self.keys, self.values, device_time, self.heads
        )


class CPULayer(Layer):
    """Attention by the C++ kernel, whose caches have neighbouring positions side by side."""

    def empty(self, dtype, device):
        lanes = cpu.kernels().attention_lanes()
        return torch.zeros(2, self.rows, self.heads, -(-self.slots // lanes), self.head, lanes)

    def attend(self, qkv, time, device_time):
        out = qkv.new_empty(self.rows, self.heads * self.head)
        cpu.call(
            "attention_step", qkv, self.keys, self.values, out, self.rows, self.heads, self.head,
            self.slots, time % self.slots, min(time + 1, self.slots),
        )  # fmt: skip
        return out
