"""A small lineage through the shipped profile and a real SLURM, disturbed, against a local run."""

import copy
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cluster import Cluster, missing, wait_until
from kills import Victim, long_jobs
from tools import artifacts

if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
    pytest.skip("snakemake-executor-plugin-slurm is not installed", allow_module_level=True)
if reason := missing():
    pytest.skip(f"no SLURM: {reason}", allow_module_level=True)
if Path("/dev/nvidiactl").exists():
    pytest.skip("the pretend GPUs would be taken for the real ones", allow_module_level=True)

GENERATION_1 = ["results/tiny/gen1/corpus/shard-00000.parquet", "results/tiny/gen1/ppl.json"]
GENERATION_2 = [
    "results/tiny/gen2/corpus/shard-00000.parquet",
    "results/tiny/gen2/corpus/shard-00001.parquet",
]
PATIENCE = 300  # seconds; the machine may be busy with something else


def on_a_cluster() -> dict:
    """Jobs long enough to be disturbed; those of perplexity want no GPU."""
    config = copy.deepcopy(long_jobs())
    config["sampling"]["tiny"]["shards"] = 2
    config["cluster"] = {"partition": "small", "gpu_partition": "large", "gpu_model": "pretend"}
    resources = config["lineages"]["tiny"]["overrides"]["resources"]
    resources["train"] |= {"gpu": 1, "runtime": 30}
    resources["sample"]["gpu"] = 1
    return config


class Site(Victim):
    """A copy of the workflow whose jobs go to SLURM."""

    def __init__(self, folder, cluster):
        super().__init__(folder)
        self.cluster, self.output = cluster, folder / "output.txt"
        self.configure(on_a_cluster())

    def start(self, *targets) -> subprocess.Popen:
        """The documented command; short pauses between looks at the queue alone are the tests' own."""
        command = [
            sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm",
            "--slurm-init-seconds-before-status-checks=1", "--configfile", "tiny.yaml", "--",
        ]  # fmt: skip
        with open(self.output, "ab") as output:
            return subprocess.Popen(
                [*command, *targets], cwd=self.folder, stdout=output, stderr=output,
                env={**os.environ, **self.cluster.environment, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip

    def finish(self, *targets):
        """Run to the end, which has to be a good one."""
        self.ends_well(self.start(*targets))

    def ends_well(self, process):
        assert process.wait(PATIENCE) == 0, self.said() + self.cluster.logs()

    def said(self) -> str:
        return self.output.read_text()[-6000:]

    def in_the_middle(self, generation=2) -> list[str]:
        """Wait until a generation's training has put a state on disk; its SLURM job."""
        state = self.folder / f"results/tiny/gen{generation}/checkpoint.state"
        wait_until(lambda: [*state.glob("*.safetensors")], PATIENCE, self.said)
        return wait_until(lambda: self.cluster.jobs(self.folder, "train"), 60, self.said)

    def carried_on(self, generation=2) -> bool:
        log = self.folder / f"logs/tiny/gen{generation}/train.log"
        return "Carries on behind update" in log.read_text()

    def copy(self, folder) -> "Site":
        """As this one is now, without generation 2, in another folder."""
        other = Site(folder, self.cluster)
        shutil.copytree(self.folder / "results", folder / "results")
        shutil.rmtree(folder / "results/tiny/gen2", ignore_errors=True)
        return other


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def local(tmp_path_factory, cluster):
    """The lineage on this machine, undisturbed."""
    site = Site(tmp_path_factory.mktemp("local") / "site", cluster)
    result = site.run(*GENERATION_1, *GENERATION_2, environment={"OMP_NUM_THREADS": "1"})
    assert result.returncode == 0, result.stdout[-4000:]
    return site


@pytest.fixture(scope="module")
def lineage(tmp_path_factory, cluster):
    """The lineage through SLURM, whose node goes down and comes back in the middle of generation 1."""
    site = Site(tmp_path_factory.mktemp("lineage") / "site", cluster)
    process = site.start(*GENERATION_1, *GENERATION_2)
    site.in_the_middle(generation=1)
    cluster.node("down")
    cluster.node("resume")
    site.ends_well(process)
    return site


def test_a_lineage_whose_node_is_lost_ends_in_the_bytes_of_a_local_run(lineage, local):
    first = [task for task in lineage.cluster.tasks(lineage.folder) if "train_first" in task["Comment"]]  # fmt: skip
    assert [task["Restarts"] for task in first] == ["0", "1"]
    assert lineage.carried_on(generation=1)
    assert lineage.settled() == local.settled()
