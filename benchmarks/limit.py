"""How fast this machine could be: its matrix products and its memory, and what a model asks of them.

The limit is arithmetic alone: every multiplication of the model at the best rate that was measured.
"""

import math
import time

import torch

from ouroboros.model.families.gpt_neo.settings import GPTNeoSettings

SQUARE = 2048  # rows and columns of the square product
FLOATS = 50_000_000  # 200 MB, beyond every cache
TRIES = 5


def seen(length: int, span: int) -> int:
    """Positions that all tokens of a sequence look at together, each at most `span` back."""
    start = min(length, span)
    return start * (start + 1) // 2 + (length - start) * span


def attention_flop(settings: GPTNeoSettings, length: int) -> int:
    """Operations of scores and weighted sums over a sequence, all layers."""
    positions = sum(seen(length, settings.span(layer)) for layer in range(settings.layers))
    return 4 * settings.hidden_size * positions


def forward_flop(settings: GPTNeoSettings, length: int, scored: int) -> int:
    """Operations of a forward over a sequence of which `scored` tokens pass through the LM head."""
    width = settings.hidden_size
    blocks = 24 * width**2 * settings.layers * length
    head = 2 * width * settings.vocabulary_size * scored
    return blocks + attention_flop(settings, length) + head


def cache_bytes(settings: GPTNeoSettings, length: int) -> int:
    """Keys and values in float32 that sampling a sequence reads."""
    return 2 * attention_flop(settings, length)  # 8 bytes of a key and a value, 4 operations


def prepare(settings: GPTNeoSettings, rows: int, dtype: torch.dtype):
    """A measurement of the products that `rows` tokens at once are made of, and of memory."""
    width, layers = settings.hidden_size, settings.layers
    model = {  # inner size and columns -> how often
        (width, 3 * width): layers,
        (width, width): layers,
        (width, 4 * width): layers,
        (4 * width, width): layers,
        (width, settings.vocabulary_size): 1,  # the LM head
    }

    def measure() -> dict:
        """GFLOP/s of every product and of the model's together; GB/s of reading and of copying."""
        rates = {pair: _gemm_rate(rows, *pair, dtype) for pair in model}
        flop = {pair: math.prod(pair) * count for pair, count in model.items()}
        gemm = {f"{rows} x {inner} x {columns}": rates[inner, columns] for inner, columns in rates}
        gemm[f"{SQUARE} x {SQUARE} x {SQUARE}"] = _gemm_rate(SQUARE, SQUARE, SQUARE, dtype)
        source, copy = torch.ones(FLOATS), torch.empty(FLOATS)
        return {
            "gemm_gflops": gemm,
            "model_gflops": sum(flop.values()) / sum(flop[pair] / rates[pair] for pair in model),
            "read_gb": 4 * FLOATS / _seconds(lambda: source.sum()) / 1e9,
            "copy_gb": 8 * FLOATS / _seconds(lambda: copy.copy_(source)) / 1e9,
        }

    return measure


def _gemm_rate(rows, inner, columns, dtype):
    left = torch.randn(rows, inner, dtype=dtype)
    right = torch.randn(columns, inner, dtype=dtype)
    out = torch.empty(rows, columns, dtype=dtype)
    calls = max(1, int(1e8 / (2 * rows * inner * columns)))  # else a small one is over too soon

    def run():
        for _ in range(calls):
            torch.mm(left, right.T, out=out)

    return calls * 2 * rows * inner * columns / _seconds(run) / 1e9


def _seconds(run):
    """The quickest of several tries, behind one that does not count."""
    run()
    best = float("inf")
    for _ in range(TRIES):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best
