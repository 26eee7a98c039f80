"""The decode step: the state behind one new token per sequence, from the keys and values before it.

Those are kept in rings of fixed size: a layer that sees `span` positions keeps `span` of them,
position t in slot t modulo the slots, and attention does not mind their order.
"""

import torch

from ouroboros.kernels import cpu as native
from ouroboros.model import triton_selftest as gpu_check
from ouroboros.model.gpt_neo import GPTNeo

STRETCH = 64  # slots that the plain layer looks at are a multiple of this


def stretch(time: int) -> int:
    """Slots that the plain layer looks at at this time, before their end."""
    return (time // STRETCH + 1) * STRETCH


class Decoder:
    """Steps of `rows` sequences of up to `length` tokens; their keys and values are `dtype`."""

    def __init__(self, model: GPTNeo, rows: int, length: int, dtype: torch.dtype = torch.float32):
        self.model = model
        kind = Layer
        if dtype == torch.float32 and native.usable(model.head):
            kind = NativeLayer
        elif gpu_check.kernels(model.head.device.type):
            kind = GPULayer
        self.layers = [kind(block, rows, min(block.span, length), dtype) for block in model.blocks]

    def form(self, time: int) -> int:
        """Steps of equal form launch the same kernels on the same places: one captured graph each."""
        return 0 if isinstance(self.layers[0], GPULayer) else stretch(time)

    def step(self, ids: torch.Tensor, time: int, clock: torch.Tensor) -> torch.Tensor:
        """Tokens (rows,) at position `time` -> the states behind them (rows, width).

        `clock` (1,) holds the time too, on the device, where a captured step reads it anew. Times
        run from 0 upwards; at 0 whatever was kept before is forgotten.
        """
        x = self.model.wte(ids) + self.model.wpe.weight[clock]
        for layer in self.layers:
            x = layer.step(x, time, clock)
        return self.model.ln_f(x)


class Layer:
    """By torch's own functions; the time is read from the device, so that a step can be captured."""

    def __init__(self, block, rows, slots, dtype):
        self.block, self.rows, self.slots, self.heads = block, rows, slots, block.heads
        self.head = block.out.in_features // block.heads
        self.keys, self.values = self.empty(dtype, block.out.weight.device)

    def empty(self, dtype, device):
        # zeros, since slots that are not seen yet are multiplied with a weight of zero
        shape = 2, self.rows, self.heads, self.slots, self.head
        self.numbers = torch.arange(self.slots, device=device)
        return torch.zeros(shape, dtype=dtype, device=device)

    def step(self, x, time: int, clock):
        """The block's forward for one position: x (rows, width) -> (rows, width)."""
        block = self.block
        return block.rest(x, self.attend(block.queries(x), time, clock))

    def attend(self, qkv, time, clock):
        """Store position `time` and attend to what is seen: (rows, 3 * width) -> (rows, width)."""
        dtype = self.keys.dtype
        q, k, v = qkv.to(dtype).view(self.rows, 3, self.heads, 1, self.head).unbind(1)
        slot = clock % self.slots
        self.keys.index_copy_(2, slot, k)
        self.values.index_copy_(2, slot, v)
        width = min(self.slots, stretch(time))
        scores = (q @ self.keys[:, :, :width].transpose(-1, -2)).float()
        scores = scores.masked_fill(self.numbers[:width] > clock, float("-inf"))
        weights = scores.softmax(-1).to(dtype)
        return (weights @ self.values[:, :, :width]).view(self.rows, -1).to(qkv.dtype)


class GPULayer(Layer):
    """Attention by the Triton kernel, which reads what is seen and nothing else."""

    def empty(self, dtype, device):
        return torch.zeros(
            2, self.rows, self.slots, self.heads * self.head, dtype=dtype, device=device
        )

    def attend(self, qkv, time, clock):
        kernels = gpu_check.kernels(qkv.device.type)
        qkv = qkv.unflatten(1, (3, -1)).contiguous()
        return kernels.attention_step(qkv, self.keys, self.values, clock, self.heads)


class NativeLayer(Layer):
    """Attention by the kernel, whose caches have positions side by side."""

    def empty(self, dtype, device):
        lanes = native.kernels().attention_lanes()
        return torch.zeros(2, self.rows, self.heads, -(-self.slots // lanes), self.head, lanes)

    def attend(self, qkv, time, clock):
        out = qkv.new_empty(self.rows, self.heads * self.head)
        native.call(
            "attention_step", qkv, self.keys, self.values, out, self.rows, self.heads, self.head,
            self.slots, time % self.slots, min(time + 1, self.slots),
        )  # fmt: skip
        return out
