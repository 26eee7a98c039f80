"""Exact draws from the softmax of logits.

A running sum over 50,257 probabilities in float32 gives tokens of the tail no probability at all,
and this study is about tails. So a draw is by inverse CDF in two levels, with one float64 uniform
per row: over the sums of chunks of the vocabulary first, added up in float64; then, inside the
chunk that the uniform falls into, over its tokens in float64. Every token's probability is what its
logit says to a relative error of about 1e-7, however small it is. The logits of a GPU, products of
fp16, are themselves off by 0.0005 to 0.002 (docs/gpu.md).
"""

import torch
import torch.nn.functional as F

CHUNK = 512  # tokens of the vocabulary per chunk


def products(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Logits, float32 (rows, vocabulary); a GPU multiplies in half precision and adds up in float32.

    Logits rounded to half precision would distort the tails.
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
    weights = F.pad(weights, (0, -vocabulary % CHUNK)).view(rows, -1, CHUNK)
    sums = weights.sum(2).double()
    chunk, inside = _locate(sums, uniforms * sums.sum(1))
    weights = weights[torch.arange(rows, device=logits.device), chunk].double()
    # The share of the chunk, not the rest itself: its sum above is rounded to float32, and what
    # rounds off there may be the whole of a rare token.
    share = inside / sums.gather(1, chunk[:, None]).squeeze(1)
    token, _ = _locate(weights, share * weights.sum(1))
    return chunk * CHUNK + token


def _locate(weights, target):
    """The index where the running sum of each row passes `target`, and the distance into that entry.

    An entry of weight zero is never chosen, even where rounding puts the target on the total.
    """
    ends = weights.cumsum(1)
    index = torch.searchsorted(ends, target[:, None], right=True)
    last = torch.searchsorted(ends, ends[:, -1:].contiguous())  # the last entry with any weight
    index = torch.minimum(index, last)
    before = ends.gather(1, index) - weights.gather(1, index)
    return index.squeeze(1), (target[:, None] - before).squeeze(1).clamp_(min=0)
