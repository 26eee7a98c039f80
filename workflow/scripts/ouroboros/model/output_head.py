"""Draw from the softmax of the output layer, or take its logsumexp, without storing all logits."""

import torch

from ouroboros.kernels import cpu
from ouroboros.model import triton_selftest
from ouroboros.model.exact_draw import draw, products

ROWS = 256  # rows of logits alive at once


class Head:
    """An output layer: weights (vocabulary, width), prepared once for many calls."""

    def __init__(self, weights: torch.Tensor):
        self.weights = weights.detach()
        self.on_cpu = cpu.usable(self.weights)
        vocabulary, width = weights.shape
        self.triton = triton_selftest.head_kernels(weights.device.type, width, vocabulary)
        if self.on_cpu:
            self.panels = cpu.panels(self.weights)

    def draw(self, hidden: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
        """One token per row: states (rows, width), uniforms float64 (rows,) -> int64 (rows,)."""
        if self.triton:
            hidden = hidden.to(self.weights.dtype)
            return triton_selftest.draw_tokens(self.triton, hidden, self.weights, uniforms)
        if not self.on_cpu:
            return torch.cat([
                draw(products(hidden[part], self.weights), uniforms[part]) for part in _slices(len(hidden))
            ])  # fmt: skip
        maxima, sums = self._chunks(hidden)
        tokens = torch.empty(len(hidden), dtype=torch.int64)
        cpu.call(
            "head_draw", hidden, self.panels, maxima, sums, uniforms, tokens,
            *hidden.shape, len(self.weights),
        )  # fmt: skip
        return tokens

    def logsumexp(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logarithm of the sum of exponentials of every row's logits: float32 (rows,)."""
        if not self.on_cpu:
            parts = [
                products(hidden[part], self.weights).logsumexp(1) for part in _slices(len(hidden))
            ]
            return torch.cat(parts) if parts else hidden.new_empty(0)
        maxima, sums = self._chunks(hidden)
        return sums.log_().add_(maxima).logsumexp(1)

    def _chunks(self, hidden):
        """Largest logit and sum of exp(logit - largest) per row and chunk of the vocabulary."""
        chunks = -(-len(self.weights) // cpu.kernels().head_block())
        maxima, sums = hidden.new_empty(2, len(hidden), chunks)
        sizes = *hidden.shape, len(self.weights)
        cpu.call("head_blocks", hidden, self.panels, maxima, sums, *sizes)
        return maxima, sums


def _slices(rows):
    return [slice(start, start + ROWS) for start in range(0, rows, ROWS)]
