"""A small lineage whose jobs go to SLURM through the shipped profile."""

import copy
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
from cluster import missing, wait_until
from kills import Victim, long_jobs

GENERATION_1 = ["results/tiny/gen1/corpus/shard-00000.parquet", "results/tiny/gen1/ppl.json"]
CHECKPOINT_2 = "results/tiny/gen2/checkpoint"
GENERATION_2 = [
    "results/tiny/gen2/corpus/shard-00000.parquet",
    "results/tiny/gen2/corpus/shard-00001.parquet",
]
PATIENCE = 300  # seconds; the machine may be busy with something else


def why_not(accounts: bool = False) -> str | None:
    """Why these tests cannot run here."""
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "snakemake-executor-plugin-slurm is not installed"
    if Path("/dev/nvidiactl").exists():
        return "the pretend GPUs would be taken for the real ones"
    return missing(accounts)


def on_a_cluster() -> dict:
    """Jobs long enough to be disturbed; those of perplexity want no GPU."""
    config = copy.deepcopy(long_jobs())
    config["sampling"]["tiny"]["shards"] = 2
    config["cluster"] = {"partition": "small", "gpu_partition": "large", "gpu_model": "pretend"}
    resources = config["lineages"]["tiny"]["overrides"]["resources"]
    resources["train"] |= {"gpu": 2, "runtime": 30}
    resources["sample"]["gpu"] = 1
    return config


class Site(Victim):
    """A copy of the workflow whose jobs go to SLURM."""

    def __init__(self, folder, cluster):
        super().__init__(folder)
        self.cluster, self.output = cluster, folder / "output.txt"
        self.configure(on_a_cluster())

    def start(self, *targets, options=(), within=()) -> subprocess.Popen:
        """The documented command; short pauses between looks at the queue alone are the tests' own.

        Further `options` go with it. It runs `within` another command, if any.
        """
        command = [
            sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm",
            "--slurm-init-seconds-before-status-checks=1", "--configfile", "tiny.yaml", *options, "--",
        ]  # fmt: skip
        with open(self.output, "wb") as output:
            process = subprocess.Popen(
                [*within, *command, *targets], cwd=self.folder, stdout=output, stderr=output,
                env={**os.environ, **self.cluster.environment, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        self.cluster.users.append(process)
        return process

    def locally(self, *targets):
        """Run to the end on this machine, without SLURM."""
        result = self.run(*targets, "--resources", "gpu=2", environment={"OMP_NUM_THREADS": "1"})
        assert result.returncode == 0, result.stdout[-4000:]

    def ends_well(self, process, patience=PATIENCE):
        assert process.wait(patience) == 0, self.said() + self.cluster.logs()

    def said(self) -> str:
        return self.output.read_text()[-6000:]

    def in_the_middle(self, generation=2) -> list[str]:
        """Wait until a generation's training has put a state on disk, and hold it there; its SLURM job."""
        state = self.folder / f"results/tiny/gen{generation}/checkpoint.state"
        wait_until(lambda: [*state.glob("*.safetensors")], PATIENCE, self.said)
        self._hold()
        return wait_until(lambda: self.cluster.jobs(self.folder, "train"), 60, self.said)

    def carried_on(self, generation=2) -> bool:
        log = self.folder / f"logs/tiny/gen{generation}/train.log"
        return "Resuming after update" in log.read_text()

    def _hold(self):
        """Stop the training process; SLURM wakes up whom it sends a signal."""
        for process in psutil.process_iter(["cwd", "cmdline"]):
            words = " ".join(process.info["cmdline"] or [])
            if process.info["cwd"] == str(self.folder) and "train.py" in words and ".snakemake" in words:  # fmt: skip
                process.send_signal(signal.SIGSTOP)

    def copy(self, folder) -> "Site":
        """Copy what it is now, without generation 2, into another folder."""
        other = super().copy(folder)
        other.output = folder / "output.txt"
        shutil.rmtree(folder / "results/tiny/gen2", ignore_errors=True)
        return other
