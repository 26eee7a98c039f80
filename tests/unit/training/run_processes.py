"""A training job of several processes on the CPU: `python run_processes.py ORDER.json`; its result in a file."""

import json
import sys
from pathlib import Path

import torch

from ouroboros.jobs.signals import stop_on_signals
from ouroboros.jobs.snapshots import States
from ouroboros.training.job import TrainingJob
from ouroboros.training.launcher import process_group


def main(order, result):
    job, cpu = TrainingJob(**order["job"]), torch.device("cpu")
    states = States(order["states"], "d")
    arguments = job, states, order["processes"], cpu, 2, order["log"]
    with stop_on_signals(), process_group(*arguments) as processes:
        training = job.prepare(cpu, states, processes)
        start = len(training.losses)
        model, found = job.run(training)
    torch.save(
        {"start": start, "losses": training.losses, "found": found, "weights": model.state_dict()},
        result,
    )


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
