"""The output layer when its logits are not wanted: exact draws from its softmax, and log-sums."""

import torch

from ouroboros.kernels import cpu as native
from ouroboros.model import triton_selftest as gpu_check
from ouroboros.model.exact_draw import draw, products

ROWS = 256  # rows of logits alive at once


class Head:
    """An output layer: weights (vocabulary, width), prepared once for many calls."""

    def __init__(self, weights: torch.Tensor):
        self.weights = weights.detach()
        self.native = native.usable(self.weights)
        self.gpu = gpu_check.kernels(self.weights.device.type)
        if self.native:
            self.panels = native.panels(self.weights)

    def draw(self, hidden: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
        """One token per row: states (rows, width), uniforms float64 (rows,) -> int64 (rows,)."""
        if self.gpu:
            hidden = hidden.to(self.weights.dtype)
            return gpu_check.draw_tokens(self.gpu, hidden, self.weights, uniforms)
        if not self.native:
            return torch.cat([
                draw(products(hidden[part], self.weights), uniforms[part]) for part in _slices(len(hidden))
            ])  # fmt: skip
        maxima, sums = self._blocks(hidden)
        tokens = torch.empty(len(hidden), dtype=torch.int64)
        native.call(
            "head_draw", hidden, self.panels, maxima, sums, uniforms, tokens,
            *hidden.shape, len(self.weights),
        )  # fmt: skip
        return tokens

    def logsumexp(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logarithm of the sum of exponentials of every row's logits: float32 (rows,)."""
        if not self.native:
            parts = [
                products(hidden[part], self.weights).logsumexp(1) for part in _slices(len(hidden))
            ]
            return torch.cat(parts) if parts else hidden.new_empty(0)
        maxima, sums = self._blocks(hidden)
        return sums.log_().add_(maxima).logsumexp(1)

    def _blocks(self, hidden):
        """Largest logit and sum of exp(logit - largest) per row and block of the vocabulary."""
        blocks = -(-len(self.weights) // native.kernels().head_block())
        maxima, sums = hidden.new_empty(2, len(hidden), blocks)
        sizes = *hidden.shape, len(self.weights)
        native.call("head_blocks", hidden, self.panels, maxima, sums, *sizes)
        return maxima, sums


def _slices(rows):
    return [slice(start, start + ROWS) for start in range(0, rows, ROWS)]
