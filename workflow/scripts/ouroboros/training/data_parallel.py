"""The processes of one training job, a GPU each: every one holds the model and a part of every update.

Their gradients are summed once per update, whatever micro-batches each of them takes, so that all
make the same step. The first process leads: it alone reads and writes states, measures and logs.

torch's DistributedDataParallel sums the same gradients while the last micro-batch is at work. It is not used:
it cannot begin a batch anew that memory was too small for, and cannot do without rows in a process.
"""

import os
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist

FOREVER = timedelta(days=30)  # a process that is gone is noticed otherwise: launcher.py


@dataclass(frozen=True)
class Team:
    """The place of this process among `size`; one alone sums nothing and says nothing to anybody."""

    rank: int = 0
    size: int = 1
    device: torch.device | None = None

    @classmethod
    def join(cls, rank: int, size: int, device: torch.device, store: str) -> "Team":
        """Meet the others by a file that none of them has made yet."""
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # they are on one machine
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            store=dist.FileStore(store, size), rank=rank, world_size=size, timeout=FOREVER,
        )  # fmt: skip
        return cls(rank, size, device)

    @property
    def leads(self) -> bool:
        """Whether this is the process that reads and writes files."""
        return self.rank == 0

    def share(self, rows: np.ndarray) -> np.ndarray:
        """This process's rows of an update; none where there are fewer rows than processes."""
        return rows[self.rank :: self.size]

    def sum_gradients(self, model: torch.nn.Module):
        """Leave in every parameter the sum of all processes' gradients; the same bits in each."""
        if self.size == 1:
            return
        for parameter in model.parameters():
            if parameter.grad is None:  # without a row so far
                parameter.grad = torch.zeros_like(parameter)
        sums = [dist.all_reduce(p.grad, async_op=True) for p in model.parameters()]
        for one in sums:
            one.wait()

    def total(self, value: torch.Tensor) -> float:
        """The sum of all processes' values (one number each)."""
        if self.size > 1:
            dist.all_reduce(value)
        return value.item()

    def said(self, value: float) -> float:
        """The leader's value, in every process; what the others give does not count."""
        mine = torch.tensor(value if self.leads else 0.0, dtype=torch.float64, device=self.device)
        return self.total(mine)


ALONE = Team()
