"""Batches that fit: where a GPU's memory is too small for one, half of it is taken, and so on."""

import gc
import logging
from collections.abc import Callable, Iterator
from functools import partial

import torch

log = logging.getLogger("ouroboros")


def fitting(batch: int, attempt: Callable):
    """`attempt(batch)` and the batch, which is halved again and again until the memory is enough.

    An attempt that fails must leave nothing behind that counts. Raises torch.OutOfMemoryError where
    even one row is too much.
    """
    while True:
        try:
            return attempt(batch), batch
        except torch.OutOfMemoryError as error:
            if batch == 1:
                raise
            said = str(error).partition("\n")[0]
        # Only here, behind the handler, whose traceback keeps the attempt's tensors alive.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        half = -(-batch // 2)
        log.warning(
            "The memory is too small for a batch of %d: carrying on with %d. (%s)",
            batch,
            half,
            said,
        )
        batch = half


def in_batches(count: int, batch: int, attempt: Callable, start: int = 0) -> Iterator:
    """The results of `attempt(start, size)` from `start` up to `count`, `batch` or fewer at a time.

    The last size may reach beyond `count`.
    """
    while start < count:
        result, batch = fitting(batch, partial(attempt, start))
        yield result
        start += batch
