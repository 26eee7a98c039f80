"""The output layer when its logits are not wanted: exact draws from its softmax, and log-sums.

A running sum over 50,257 probabilities in float32 gives tokens of the tail no probability at all,
and this study is about tails. So a draw is by inverse CDF in two levels, with one float64 uniform
per row: sums of blocks first, added up in float64; then, inside the block that the uniform falls
into, a running sum in float64. Every token's probability is right to about 1e-7 of itself, however
small it is.
"""

import torch
import torch.nn.functional as F

from ouroboros import gpu_check, native

BLOCK = 512  # tokens per block
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


def products(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Logits, float32 (rows, vocabulary): a GPU multiplies halves, but sums and gives float32.

    Logits rounded to half precision would show in the tails.
    """
    hidden = hidden.to(weights.dtype)
    if hidden.is_cuda and weights.dtype != torch.float32:
        return torch.mm(hidden, weights.T, out_dtype=torch.float32)
    return (hidden @ weights.T).float()


def draw(logits: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """One token per row: logits float32 (rows, vocabulary), uniforms float64 (rows,) in [0, 1).

    Returns int64 (rows,).
    """
    rows, vocabulary = logits.shape
    weights = (logits - logits.amax(1, keepdim=True)).exp_()
    weights = F.pad(weights, (0, -vocabulary % BLOCK)).view(rows, -1, BLOCK)
    sums = weights.sum(2).double()
    block, inside = _locate(sums, uniforms * sums.sum(1))
    weights = weights[torch.arange(rows, device=logits.device), block].double()
    # The share of the block, not the rest itself: its sum above is rounded to float32, and what
    # rounds off there may be the whole of a rare token.
    share = inside / sums.gather(1, block[:, None]).squeeze(1)
    token, _ = _locate(weights, share * weights.sum(1))
    return block * BLOCK + token


def _locate(weights, target):
    """Where the running sum of each row passes `target`: index, and how far into that entry.

    An entry of weight zero is never chosen, even where rounding puts the target on the total.
    """
    ends = weights.cumsum(1)
    index = torch.searchsorted(ends, target[:, None], right=True)
    last = torch.searchsorted(ends, ends[:, -1:].contiguous())  # the last entry with any weight
    index = torch.minimum(index, last)
    before = ends.gather(1, index) - weights.gather(1, index)
    return index.squeeze(1), (target[:, None] - before).squeeze(1).clamp_(min=0)


def _slices(rows):
    return [slice(start, start + ROWS) for start in range(0, rows, ROWS)]
