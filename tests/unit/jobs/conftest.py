"""A machine whose GPUs are pretended by an nvidia-smi of our own; the jobs are real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tools import REPOSITORY

SMI = """#!/bin/sh
case "$1" in
  -L) cat "$(dirname "$0")/listing" ;;
  *driver*) echo 470.57.02 ;;
  *) cat "$(dirname "$0")/memory" ;;
esac
"""
JOB = """
import logging, os, sys
from pathlib import Path
from ouroboros.jobs import gpu_locks
logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
gpu_locks.lock_gpus(int(sys.argv[1]), Path(sys.argv[2]), pause=0.05)
print("has", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


class Machine:
    """A folder with an nvidia-smi, and the processes started on it."""

    def __init__(self, folder: Path):
        self.folder, self.jobs = folder, []
        smi = folder / "nvidia-smi"
        smi.write_text(SMI)
        smi.chmod(0o755)

    def has(self, used: list, mig: str = ""):
        """As many GPUs of 1000 MB, of which so many are used; `mig` stands below the last."""
        lines = [f"GPU {n}: Pretended (UUID: GPU-{n}aaa)\n" for n in range(len(used))]
        (self.folder / "listing").write_text("".join(lines) + mig)
        rows = [f"GPU-{n}aaa, 1000, {megabytes}\n" for n, megabytes in enumerate(used)]
        (self.folder / "new").write_text("".join(rows))
        os.replace(self.folder / "new", self.folder / "memory")

    def start(self, count=1, **environment):
        """A job; what it prints goes to a file, since tests look at several at once."""
        said = self.folder / f"said-{len(self.jobs)}"
        with open(said, "w") as output:
            job = subprocess.Popen(
                [sys.executable, "-c", JOB, str(count), str(self.folder / "locks")],
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, text=True,
                env=os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow/scripts"), **environment},
            )  # fmt: skip
        job.said = said
        self.jobs.append(job)
        return job


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    machine = Machine(tmp_path)
    yield machine
    for job in machine.jobs:
        job.kill()
        job.communicate()
