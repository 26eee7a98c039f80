"""The batches that a sampling job has drawn so far, a state on disk each: none is drawn twice."""

import logging
from collections.abc import Iterator

import numpy as np
import torch

from ouroboros.errors import UserError
from ouroboros.jobs.snapshots import States

log = logging.getLogger("ouroboros")


class SampledBatches:
    """The batches in order: `rows` sequences in all, up to `batch` of them drawn at once."""

    def __init__(self, states: States):
        self.states, self.rows, self.count, self.batch = states, 0, 0, None
        while self.count in states.numbers() and (state := states.read(self.count)):
            record, tensors = state
            self.rows += len(tensors["tokens"])
            self.count += 1
            self.batch = record["batch"]
        # batches after a lost one could not be told from those drawn in its place
        states.keep_only(range(self.count))
        if self.count:
            log.info(
                "Resuming after sequence %d, from %d batches in %s.",
                self.rows, self.count, states.folder,
            )  # fmt: skip

    def add(self, tokens: np.ndarray, batch: int):
        """Write the next sequences to disk: (rows, length)."""
        self.states.write(self.count, {"batch": batch}, {"tokens": torch.from_numpy(tokens)})
        self.rows += len(tokens)
        self.count += 1

    def __iter__(self) -> Iterator[np.ndarray]:
        for number in range(self.count):
            state = self.states.read(number)
            if state is None:
                raise UserError(
                    f"{self.states.path(number)}, a batch of sequences that was just sampled, cannot "
                    "be read back. Run the same command again: it is sampled anew."
                )
            yield state[1]["tokens"].numpy()
