"""A process of a team that does not lead: `python -m ouroboros.training.worker`, its order on standard input.

Started by launcher.py alone. It trains as the leader does, and writes nothing but warnings.
"""

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with(parent: int):
    """Let the kernel kill this process when its parent is gone; at once where it is by now."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")


def main():
    """Follow the leader through one training job."""
    order = json.load(sys.stdin)
    end_with(order["leader"])
    import logging

    import torch

    from ouroboros.errors import UserError
    from ouroboros.jobs.snapshots import States
    from ouroboros.training.data_parallel import Team
    from ouroboros.training.job import TrainingJob

    name = f"process {order['rank'] + 1} of {order['size']}"
    logging.basicConfig(format=f"%(asctime)s {name}: %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    torch.set_num_threads(order["threads"])
    device = torch.device(order["device"])
    team = Team.join(order["rank"], order["size"], device, order["store"])
    job = TrainingJob(**order["job"])
    try:
        job.run(job.prepare(device, States(*order["states"]), team=team))
    except UserError as error:
        sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main()
