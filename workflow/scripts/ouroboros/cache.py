"""Keys and values of the positions that a decode step looks back on, in rings of fixed size.

A layer that sees `span` positions keeps `span` of them: position t has slot t modulo the slots, and
attention does not mind their order.
"""

import torch

from ouroboros import native
from ouroboros.model import GPTNeo

STRETCH = 64  # slots that the plain cache looks at are a multiple of this


def make_caches(model: GPTNeo, rows: int, length: int, dtype: torch.dtype) -> list:
    """One cache per layer, for `rows` sequences of up to `length` tokens, in `dtype`."""
    kind = NativeCache if dtype == torch.float32 and native.usable(model.head) else TorchCache
    settings = model.settings
    head = settings.hidden_size // settings.heads
    return [
        kind(rows, min(block.span, length), settings.heads, head, dtype, model.head.device)
        for block in model.blocks
    ]


class TorchCache:
    """By torch's own functions; the time is read from the device, so that a step can be captured."""

    def __init__(self, rows, slots, heads, head, dtype, device):
        self.slots = slots
        # zeros, since slots that are not seen yet are multiplied with a weight of zero
        self.keys, self.values = torch.zeros(
            2, rows, heads, slots, head, dtype=dtype, device=device
        )
        self.numbers = torch.arange(slots, device=device)

    def attend(self, qkv, time: int, clock):
        """Store position `time` and attend to what is seen: (rows, 3 * width) -> (rows, width)."""
        rows, heads, _, head = self.keys.shape
        q, k, v = qkv.to(self.keys.dtype).view(rows, 3, heads, 1, head).unbind(1)
        slot = clock % self.slots
        self.keys.index_copy_(2, slot, k)
        self.values.index_copy_(2, slot, v)
        width = min(self.slots, (time // STRETCH + 1) * STRETCH)
        scores = (q @ self.keys[:, :, :width].transpose(-1, -2)).float()
        scores = scores.masked_fill(self.numbers[:width] > clock, float("-inf"))
        weights = scores.softmax(-1).to(self.keys.dtype)
        return (weights @ self.values[:, :, :width]).view(rows, -1).to(qkv.dtype)


class NativeCache:
    """For the kernel: (rows, heads, slots / lanes, head, lanes), positions side by side."""

    def __init__(self, rows, slots, heads, head, dtype, device):
        lanes = native.kernels().attention_lanes()
        self.sizes = rows, heads, head, slots
        shape = (2, rows, heads, -(-slots // lanes), head, lanes)
        self.keys, self.values = torch.zeros(shape, dtype=dtype)

    def attend(self, qkv, time: int, clock):
        """As above."""
        rows, heads, head, slots = self.sizes
        out = qkv.new_empty(rows, heads * head)
        native.call(
            "attention_step", qkv, self.keys, self.values, out, *self.sizes,
            time % slots, min(time + 1, slots),
        )  # fmt: skip
        return out
