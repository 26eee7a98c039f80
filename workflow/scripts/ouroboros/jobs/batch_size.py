"""Halve the batch size and retry on CUDA out-of-memory."""

import gc
import logging
from collections.abc import Callable, Iterator
from functools import partial

import torch

log = logging.getLogger("ouroboros")


def halve_until_fits(batch: int, attempt: Callable):
    """Call `attempt(batch)`, halving `batch` as often as memory runs out.

    Returns the result and the batch size that fit. An attempt that fails must leave no partial
    result. Raises torch.OutOfMemoryError where even a batch of 1 does not fit.
    """
    while True:
        try:
            return attempt(batch), batch
        except torch.OutOfMemoryError as error:
            if batch == 1:
                raise
            reason = str(error).partition("\n")[0]
        # Only after the handler, whose traceback keeps the attempt's tensors alive.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        half = -(-batch // 2)
        log.warning(
            "The memory is too small for a batch of %d: carrying on with %d. (%s)",
            batch,
            half,
            reason,
        )
        batch = half


def in_batches(count: int, batch: int, attempt: Callable, start: int = 0) -> Iterator:
    """Yield `attempt(start, size)` for consecutive batches of the items from `start` to `count`.

    `size` is `batch`, halved as often as memory runs out; the last batch may reach beyond `count`.
    """
    while start < count:
        result, batch = halve_until_fits(batch, partial(attempt, start))
        yield result
        start += batch
