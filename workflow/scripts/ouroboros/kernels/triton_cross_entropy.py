"""Triton kernels of the cross-entropy of a narrow model on a GPU: the logits are never in memory.

A narrow model's products are cheap, and the logits' way to memory and back is what takes the time: 50,257
of them for 64 features. So each kernel makes the tiles of logits that it needs again: five products in
place of three, and no traffic. Wider models keep slices of logits (model/cross_entropy.py), since
their products are what takes the time. All tensors have to be contiguous.
"""

import torch
import triton
import triton.language as tl

from ouroboros.kernels.triton_kernels import head_blocks

ROWS, TOKENS = 64, 128  # of a tile


def cross_entropy(
    hidden: torch.Tensor, weights: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Losses of the targets in nats, and the gradients of their sum for states and weights.

    hidden (rows, width), weights (vocabulary, width), of one type; targets int64 (rows,). Returns float32
    (rows,), (rows, width) of `hidden`'s type, float32 (vocabulary, width). Meant for a width of 128 at most.
    """
    (rows, width), vocabulary = hidden.shape, len(weights)
    maxima, sums = head_blocks(hidden, weights)
    logs = (maxima + sums.log()).logsumexp(1)
    losses = logs - (hidden.float() * weights[targets].float()).sum(1)
    to_hidden = torch.empty_like(hidden)
    to_head = weights.new_empty(weights.shape, dtype=torch.float32)
    sizes = {"WIDTH": width, "PADDED": max(16, triton.next_power_of_2(width)), "ROWS": ROWS, "TOKENS": TOKENS}  # fmt: skip
    arguments = hidden, weights, targets, logs
    _to_hidden[(triton.cdiv(rows, ROWS),)](*arguments, to_hidden, rows, vocabulary, **sizes)
    _to_head[(triton.cdiv(vocabulary, TOKENS),)](*arguments, to_head, rows, vocabulary, **sizes)
    return losses, to_hidden, to_head


@triton.jit
def _to_hidden(
    hidden, weights, targets, logs, out, rows, vocabulary,
    WIDTH: tl.constexpr, PADDED: tl.constexpr, ROWS: tl.constexpr, TOKENS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    states = _load(hidden, row, rows, WIDTH, PADDED)
    target = tl.load(targets + row, mask=row < rows, other=-1)
    log = tl.load(logs + row, mask=row < rows, other=0)
    total = tl.zeros((ROWS, PADDED), tl.float32)
    for start in range(0, vocabulary, TOKENS):
        token = start + tl.arange(0, TOKENS)
        w = _load(weights, token, vocabulary, WIDTH, PADDED)
        gradient = _gradient(states, w, token, target, log, vocabulary)
        total = tl.dot(gradient.to(w.dtype), w, total, input_precision="ieee")
    _store(out, total, row, rows, WIDTH, PADDED)


@triton.jit
def _to_head(
    hidden, weights, targets, logs, out, rows, vocabulary,
    WIDTH: tl.constexpr, PADDED: tl.constexpr, ROWS: tl.constexpr, TOKENS: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0) * TOKENS + tl.arange(0, TOKENS)
    w = _load(weights, token, vocabulary, WIDTH, PADDED)
    total = tl.zeros((TOKENS, PADDED), tl.float32)
    for start in range(0, rows, ROWS):
        row = start + tl.arange(0, ROWS)
        states = _load(hidden, row, rows, WIDTH, PADDED)
        target = tl.load(targets + row, mask=row < rows, other=-1)
        # of rows that are not there: probabilities of zero
        log = tl.load(logs + row, mask=row < rows, other=float("inf"))
        gradient = _gradient(states, w, token, target, log, vocabulary)
        total = tl.dot(tl.trans(gradient.to(w.dtype)), states, total, input_precision="ieee")
    _store(out, total, token, vocabulary, WIDTH, PADDED)


@triton.jit
def _gradient(states, w, token, target, log, vocabulary):
    """Softmax minus one-hot of a tile of logits: (rows, tokens)."""
    logits = tl.dot(states, tl.trans(w), input_precision="ieee")
    share = tl.exp(logits - log[:, None])
    share = tl.where(token[None, :] < vocabulary, share, 0.0)
    return share - (token[None, :] == target[:, None]).to(tl.float32)


@triton.jit
def _load(matrix, row, rows, WIDTH: tl.constexpr, PADDED: tl.constexpr):
    column = tl.arange(0, PADDED)[None, :]
    at = row[:, None].to(tl.int64) * WIDTH + column
    return tl.load(matrix + at, mask=(row[:, None] < rows) & (column < WIDTH), other=0)


@triton.jit
def _store(matrix, values, row, rows, WIDTH: tl.constexpr, PADDED: tl.constexpr):
    column = tl.arange(0, PADDED)[None, :]
    at = row[:, None].to(tl.int64) * WIDTH + column
    mask = (row[:, None] < rows) & (column < WIDTH)
    tl.store(matrix + at, values.to(matrix.dtype.element_ty), mask=mask)
