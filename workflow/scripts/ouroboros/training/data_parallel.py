"""Data-parallel training: every process holds the model and computes a part of each update's gradient.

The gradients are summed once per update, whatever micro-batches each process takes, so that all
make the same step. Rank 0 is the job's own process: it alone reads and writes states, measures and
logs.

torch's DistributedDataParallel sums the same gradients during the last micro-batch's backward pass.
It is not used: it cannot start a batch again after running out of memory, nor do without rows in a
process.
"""

import os
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist

FOREVER = timedelta(days=30)  # launcher.py notices a process that has ended, long before this


@dataclass(frozen=True)
class ProcessGroup:
    """The rank of this process among `world_size`, and its device; one process alone sums nothing."""

    rank: int = 0
    world_size: int = 1
    device: torch.device | None = None

    @classmethod
    def join(cls, rank: int, world_size: int, device: torch.device, store: str) -> "ProcessGroup":
        """Wait for all ranks to meet through the file `store`, which must not exist before."""
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # they are on one machine
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            store=dist.FileStore(store, world_size), rank=rank, world_size=world_size,
            timeout=FOREVER,
        )  # fmt: skip
        return cls(rank, world_size, device)

    @property
    def is_main(self) -> bool:
        """True for rank 0, which reads and writes files."""
        return self.rank == 0

    def own(self, rows: np.ndarray) -> np.ndarray:
        """This rank's rows of an update; none where there are fewer rows than ranks."""
        return rows[self.rank :: self.world_size]

    def sum_gradients(self, model: torch.nn.Module):
        """Sum every parameter's gradient over all ranks, in place; the same bits in each."""
        if self.world_size == 1:
            return
        for parameter in model.parameters():
            if parameter.grad is None:  # this rank has had no row so far
                parameter.grad = torch.zeros_like(parameter)
        pending = [dist.all_reduce(p.grad, async_op=True) for p in model.parameters()]
        for reduction in pending:
            reduction.wait()

    def sum(self, value: torch.Tensor) -> float:
        """The sum of all ranks' values (one number each)."""
        if self.world_size > 1:
            dist.all_reduce(value)
        return value.item()

    def broadcast(self, value: float) -> float:
        """Rank 0's value, in every rank."""
        mine = torch.tensor(value if self.is_main else 0.0, dtype=torch.float64, device=self.device)
        return self.sum(mine)


ALONE = ProcessGroup()
