"""Triton kernels of a decode step on a GPU: no logits in memory, keys and values read once.

Grids depend on sizes only and the position is read from the device, so that a step can be captured
as a CUDA graph once and replayed at every position. All tensors have to be contiguous. So far the
kernels have run in Triton's interpreter and have been compiled for GPUs, but never run on one.
"""

import torch
import triton
import triton.language as tl

BLOCK = tl.constexpr(256)  # tokens per block of the vocabulary


def attention_step(
    qkv: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, position: torch.Tensor, heads: int
) -> torch.Tensor:
    """Store the key and value of a new position and attend to all that are kept, unscaled.

    qkv (rows, 3, width); keys, values (rows, slots, width), rings that keep position t in slot t
    modulo slots; position int64 (1,). Returns (rows, width).
    """
    rows, _, width = qkv.shape
    head = width // heads
    padded = triton.next_power_of_2(head)
    # One program takes a row's heads, up to 256 columns of them: then 4,096 keys are alive at once.
    group = min(heads & -heads, max(1, 256 // padded))
    tile = max(1, 4096 // (group * padded))
    out = qkv.new_empty(rows, width)
    _attention_step[(rows * (heads // group),)](
        qkv, keys, values, out, position, keys.shape[1],
        WIDTH=width, HEADS=group, HEAD=head, PADDED=padded, TILE=tile,
    )  # fmt: skip
    return out


@triton.jit
def _attention_step(
    qkv, keys, values, out, position, slots,
    WIDTH: tl.constexpr, HEADS: tl.constexpr, HEAD: tl.constexpr, PADDED: tl.constexpr,
    TILE: tl.constexpr,
):  # fmt: skip
    GROUPS: tl.constexpr = WIDTH // (HEADS * HEAD)
    row = (tl.program_id(0) // GROUPS).to(tl.int64)
    number = tl.arange(0, HEADS * PADDED)
    column = number
    real = number < HEADS * PADDED
    if HEAD != PADDED:
        column = number // PADDED * HEAD + number % PADDED
        real = number % PADDED < HEAD
    column += tl.program_id(0) % GROUPS * (HEADS * HEAD)
    time = tl.load(position)
    slot = (time % slots).to(tl.int32)
    seen = tl.minimum(time, slots).to(tl.int32)  # slots filled before this position

    new = qkv + row * (3 * WIDTH) + column
    query = tl.load(new, mask=real, other=0).to(tl.float32)
    key = tl.load(new + WIDTH, mask=real, other=0).to(keys.dtype.element_ty)
    value = tl.load(new + 2 * WIDTH, mask=real, other=0).to(values.dtype.element_ty)
    keys += row * slots * WIDTH + column
    values += row * slots * WIDTH + column
    tl.store(keys + slot * WIDTH, key, mask=real)
    tl.store(values + slot * WIDTH, value, mask=real)

    # Each place in the tile keeps a softmax of its own, so that threads meet only at the end. The
    # new position's slot is passed over: what was stored just now is in registers.
    most = tl.full((TILE, HEADS), -1e30, tl.float32)
    mass = tl.zeros((TILE, HEADS), tl.float32)
    total = tl.zeros((TILE, HEADS, PADDED), tl.float32)
    for start in tl.range(0, seen, TILE, num_stages=3):
        place = start + tl.arange(0, TILE)[:, None]
        kept = (place < seen) & (place != slot)
        mask = kept & real[None, :]
        k = tl.load(keys[None, :] + place * WIDTH, mask=mask, other=0).to(tl.float32)
        v = tl.load(values[None, :] + place * WIDTH, mask=mask, other=0).to(tl.float32)
        score = tl.sum(tl.reshape(k * query[None, :], (TILE, HEADS, PADDED)), 2)
        score = tl.where(kept, score, float("-inf"))
        larger = tl.maximum(most, score)
        weight, fade = tl.exp(score - larger), tl.exp(most - larger)
        mass = mass * fade + weight
        v = tl.reshape(v, (TILE, HEADS, PADDED))
        total = total * fade[:, :, None] + weight[:, :, None] * v
        most = larger

    score = tl.sum(tl.reshape(query * key.to(tl.float32), (HEADS, PADDED)), 1)
    top = tl.maximum(tl.max(most, 0), score)
    weight, fade = tl.exp(score - top), tl.exp(most - top[None, :])
    mass = tl.sum(mass * fade, 0) + weight
    v = tl.reshape(value.to(tl.float32), (HEADS, PADDED))
    total = (tl.sum(total * fade[:, :, None], 0) + weight[:, None] * v) / mass[:, None]
    total = tl.reshape(total, (HEADS * PADDED,)).to(out.dtype.element_ty)
    tl.store(out + row * WIDTH + column, total, mask=real)


def head_blocks(
    hidden: torch.Tensor, weights: torch.Tensor, stages: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Largest logit and sum of exp(logit - largest) of every row and block of the vocabulary.

    hidden (rows, width), weights (vocabulary, width). Returns two float32 (rows, blocks). `stages`: loads on
    their way at once; else as many as the GPU's shared memory holds.
    """
    (rows, width), vocabulary = hidden.shape, len(weights)
    blocks = triton.cdiv(vocabulary, BLOCK.value)
    maxima, sums = hidden.new_empty(2, rows, blocks, dtype=torch.float32)
    # Where the width is small, exponentials take the time, and small programs overlap them better
    # with products; where it is large, larger programs read the weights less often.
    tile = 64 if width <= 128 else 128
    _head_blocks[(triton.cdiv(rows, tile) * blocks,)](
        hidden, weights, maxima, sums, rows, vocabulary,
        WIDTH=width, STEP=128 // weights.itemsize, TILE=tile, num_warps=8, num_stages=stages or _stages(hidden.device),
    )  # fmt: skip
    return maxima, sums


def _stages(device):
    """3 need 147 KB of shared memory, which GPUs from compute capability 9.0 on have, and those before have not."""
    if device.type != "cuda":
        return 2
    return 3 if torch.cuda.get_device_capability(device) >= (9, 0) else 2


@triton.jit
def _head_blocks(
    hidden, weights, maxima, sums, rows, vocabulary,
    WIDTH: tl.constexpr, STEP: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    # Neighbours share a block and differ in rows: the states, a few MB, stay in the L2 cache, and
    # each block of the weights, which may be too many for it, is used up before the next is read.
    tiles = tl.cdiv(rows, TILE)
    block = tl.program_id(0) // tiles
    row = tl.program_id(0) % tiles * TILE + tl.arange(0, TILE)
    place = tl.arange(0, BLOCK)
    token = block * BLOCK + place
    weights += block.to(tl.int64) * BLOCK * WIDTH  # vocabulary x width can be more than 2^31
    logits = tl.zeros((TILE, BLOCK), tl.float32)
    for start in range(0, WIDTH, STEP):
        column = start + tl.arange(0, STEP)[None, :]
        states = tl.load(
            hidden + row[:, None] * WIDTH + column,
            mask=(row[:, None] < rows) & (column < WIDTH), other=0,
        )  # fmt: skip
        w = tl.load(
            weights + place[:, None] * WIDTH + column,
            mask=(token[:, None] < vocabulary) & (column < WIDTH), other=0,
        )  # fmt: skip
        logits = tl.dot(states, tl.trans(w), logits, input_precision="ieee")
    logits = tl.where(token[None, :] < vocabulary, logits, float("-inf"))
    largest = tl.max(logits, 1)
    total = tl.sum(tl.exp(logits - largest[:, None]), 1)
    at = row * tl.cdiv(vocabulary, BLOCK) + block
    tl.store(maxima + at, largest, mask=row < rows)
    tl.store(sums + at, total, mask=row < rows)


def head_draw(
    hidden: torch.Tensor, weights: torch.Tensor, maxima: torch.Tensor, sums: torch.Tensor,
    uniforms: torch.Tensor, position: torch.Tensor, tokens: torch.Tensor, latest: torch.Tensor,
) -> None:  # fmt: skip
    """Draw a token per row by inverse CDF in float64, the block first, as `model/exact_draw.py` explains.

    hidden (rows, width), weights (vocabulary, width); maxima, sums (rows, blocks) of `head_blocks`;
    uniforms float64 (length, rows) in [0, 1), of which the row `position`, int64 (1,), is used. The
    tokens go to that row of `tokens`, int64 (length, rows), and to `latest`, int64 (rows,).
    """
    rows, width = hidden.shape
    blocks = maxima.shape[1]
    _head_draw[(rows,)](
        hidden, weights, maxima, sums, uniforms, position, tokens, latest, rows, len(weights), blocks,
        WIDTH=width, STEP=128 // weights.itemsize, BLOCKS=triton.next_power_of_2(blocks),
    )  # fmt: skip


@triton.jit
def _head_draw(
    hidden, weights, maxima, sums, uniforms, position, tokens, latest, rows, vocabulary, blocks,
    WIDTH: tl.constexpr, STEP: tl.constexpr, BLOCKS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    at = tl.load(position) * rows + row
    number = tl.arange(0, BLOCKS)
    mask = number < blocks
    largest = tl.load(maxima + row * blocks + number, mask=mask, other=float("-inf"))
    mass = tl.load(sums + row * blocks + number, mask=mask, other=0).to(tl.float64)
    mass *= tl.exp((largest - tl.max(largest, 0)).to(tl.float64))
    block, share = _locate(mass, tl.load(uniforms + at), BLOCKS)

    place = tl.arange(0, BLOCK)
    token = block * BLOCK + place
    weights += block.to(tl.int64) * BLOCK * WIDTH
    logits = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, WIDTH, STEP):
        column = start + tl.arange(0, STEP)
        states = tl.load(hidden + row * WIDTH + column, mask=column < WIDTH, other=0)
        w = tl.load(
            weights + place[:, None] * WIDTH + column[None, :],
            mask=(token[:, None] < vocabulary) & (column[None, :] < WIDTH), other=0,
        )  # fmt: skip
        logits += tl.sum(states.to(tl.float32)[None, :] * w.to(tl.float32), 1)
    logits = tl.where(token < vocabulary, logits, float("-inf"))
    mass = tl.exp((logits - tl.max(logits, 0)).to(tl.float64))
    inside, _ = _locate(mass, share, BLOCK)
    drawn = (block * BLOCK + inside).to(tl.int64)
    tl.store(tokens + at, drawn)
    tl.store(latest + row, drawn)


@triton.jit
def _locate(mass, share, COUNT: tl.constexpr):
    """Inverse CDF over `mass` (COUNT,): the entry that `share` of the total falls into, and how far
    into that entry, from 0 to 1. An entry without mass is never chosen."""
    number = tl.arange(0, COUNT)
    ends = tl.cumsum(mass, 0)
    target = share * tl.sum(mass, 0)
    index = tl.min(tl.where((ends > target) & (mass > 0), number, COUNT), 0)
    last = tl.max(tl.where(mass > 0, number, 0), 0)  # for a target that rounding put on the total
    index = tl.minimum(index, last)
    here = tl.sum(tl.where(number == index, mass, 0.0), 0)
    before = tl.sum(tl.where(number == index, ends - mass, 0.0), 0)
    return index, tl.minimum(tl.maximum((target - before) / here, 0.0), 1.0)
