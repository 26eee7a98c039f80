"""A worker process of a training job: `python -m ouroboros.training.worker`, its assignment on stdin.

launcher.py starts it. It trains as rank 0 does, and writes nothing but warnings.
"""

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with(parent: int):
    """Have the kernel kill this process when its parent ends; exit at once where it has ended."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")


def main():
    """Take part in one training job."""
    assignment = json.load(sys.stdin)
    end_with(assignment["parent"])
    import logging

    import torch
    import torch.distributed as dist

    from ouroboros.errors import UserError
    from ouroboros.jobs.snapshots import States
    from ouroboros.training.data_parallel import ProcessGroup
    from ouroboros.training.job import TrainingJob

    rank, world_size = assignment["rank"], assignment["world_size"]
    name = f"process {rank + 1} of {world_size}"
    logging.basicConfig(format=f"%(asctime)s {name}: %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    torch.set_num_threads(assignment["threads"])
    device = torch.device(assignment["device"])
    processes = ProcessGroup.join(rank, world_size, device, assignment["store"])
    job = TrainingJob(**assignment["job"])
    try:
        job.run(job.prepare(device, States(*assignment["states"]), processes))
        dist.destroy_process_group()
    except UserError as error:
        sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main()
