"""Sampling from small models by one C++ kernel, which draws many positions of all sequences per call.

Up to a width of 128 the weights of a layer stay in a core's cache. The cost of a step is then that
of the calls between its parts, which one kernel for all of them avoids: kernels/cpu/narrow.cpp.
"""

import torch
import torch.nn.functional as F

from ouroboros.kernels import cpu
from ouroboros.model.decoding import FULL, Decoding

WIDEST = 128
HIDDEN_PER_WEIGHT = (
    4  # bytes of caches read per byte of weights, at least, by sequences computed together
)


def fits(model) -> bool:
    """Tell whether the kernel can sample this model, and is the quickest way to."""
    width = model.settings.hidden_size
    return width <= WIDEST and cpu.usable(model.head) and width % _outputs() == 0


class SmallModelSampler:
    """Caches for `rows` sequences of up to `length` tokens, and the weights in the kernel's order."""

    def __init__(self, model, rows: int, length: int, decoding: Decoding = FULL):
        settings = model.settings
        self.settings, self.rows = settings, rows
        group, lanes = cpu.kernels().narrow_group(), cpu.kernels().narrow_lanes()
        groups = -(-rows // group)
        head = settings.hidden_size // settings.heads
        slots = [min(block.span, length) for block in model.blocks]
        self.rings = [
            torch.empty(2, groups, 2, settings.heads, count, head, lanes) for count in slots
        ]
        self.layers = [_weights(block) for block in model.blocks]
        places = [
            [*(tensor.data_ptr() for tensor in (*weights, *ring)), count]
            for weights, ring, count in zip(self.layers, self.rings, slots, strict=True)
        ]
        self.model = (
            torch.tensor(places), model.wte.weight.detach(), model.wpe.weight.detach(),
            model.ln_f.weight.detach() / decoding.temperature, model.ln_f.bias.detach() / decoding.temperature,
            _tiles(model.head),
        )  # fmt: skip
        self.decoding = None if decoding.full else decoding.numbers()
        self.hidden = torch.zeros(groups, settings.hidden_size, group)
        read = sum(ring[0].nbytes for ring in self.rings) * 2 // groups
        weights = sum(tensor.nbytes for layer in self.layers for tensor in layer)
        weights += self.model[-1].nbytes
        even = -(-groups // torch.get_num_threads())
        self.together = min(even, -(-HIDDEN_PER_WEIGHT * weights // read))

    def steps(self, tokens, draws, given, first: int, last: int):
        """Draw positions `first` to `last` (exclusive) of every sequence, after those drawn before.

        tokens int64 (length + 1, rows), whose row t + 1 is drawn by the uniforms draws[t], float64
        (length, rows); where `given`, shaped like tokens, is not negative, it is taken instead.
        """
        settings = self.settings
        cpu.call(
            "narrow_sample", *self.model, self.decoding, draws, given, tokens, self.hidden, settings.layers,
            settings.hidden_size, settings.heads, settings.vocabulary_size, self.rows, first, last,
            self.together,
        )  # fmt: skip

    def states(self) -> torch.Tensor:
        """The final states of the latest position: (rows, width)."""
        return self.hidden.transpose(1, 2).flatten(0, 1)[: self.rows]


def _outputs():
    return cpu.kernels().narrow_outputs()


def _weights(block):
    return [
        tensor.detach().contiguous()
        for tensor in (
            block.ln_1.weight, block.ln_1.bias, _tiles(block.qkv.weight), _tiles(block.out.weight),
            block.out.bias, block.ln_2.weight, block.ln_2.bias, _tiles(block.fc.weight), block.fc.bias,
            _tiles(block.proj.weight), block.proj.bias,
        )
    ]  # fmt: skip


def _tiles(weights):
    """Weights (outputs, width) as the kernel reads them: (outputs / tile, width, tile)."""
    outputs, width = weights.shape
    padded = F.pad(weights.detach(), (0, 0, 0, -outputs % cpu.kernels().narrow_block()))
    return padded.view(-1, _outputs(), width).transpose(1, 2).contiguous()
