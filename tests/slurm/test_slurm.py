"""A small lineage through the shipped profile and a real SLURM, disturbed, against a local run."""

import copy
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from cluster import Cluster, missing, wait_until
from kills import Victim, long_jobs

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
    resources["train"] |= {"gpu": 2, "runtime": 30}
    resources["sample"]["gpu"] = 1
    return config


class Site(Victim):
    """A copy of the workflow whose jobs go to SLURM."""

    def __init__(self, folder, cluster):
        super().__init__(folder)
        self.cluster, self.output = cluster, folder / "output.txt"
        self.configure(on_a_cluster())

    def start(self, *targets, within=()) -> subprocess.Popen:
        """The documented command; short pauses between looks at the queue alone are the tests' own.

        It runs `within` another command, if any.
        """
        command = [
            sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm",
            "--slurm-init-seconds-before-status-checks=1", "--configfile", "tiny.yaml", "--",
        ]  # fmt: skip
        with open(self.output, "wb") as output:
            process = subprocess.Popen(
                [*within, *command, *targets], cwd=self.folder, stdout=output, stderr=output,
                env={**os.environ, **self.cluster.environment, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        self.cluster.users.append(process)
        return process

    def ends_well(self, process):
        assert process.wait(PATIENCE) == 0, self.said() + self.cluster.logs()

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
        return "Carries on behind update" in log.read_text()

    def _hold(self):
        """Stop the training process; SLURM wakes up whom it sends a signal."""
        for process in psutil.process_iter(["cwd", "cmdline"]):
            words = " ".join(process.info["cmdline"] or [])
            if process.info["cwd"] == str(self.folder) and "train.py" in words and ".snakemake" in words:  # fmt: skip
                process.send_signal(signal.SIGSTOP)

    def copy(self, folder) -> "Site":
        """As this one is now, without generation 2, in another folder."""
        other = Site(folder, self.cluster)
        shutil.copy2(self.folder / "own.txt", folder)  # with its time: else all is made again
        shutil.copytree(self.folder / "results", folder / "results")
        shutil.rmtree(folder / "results/tiny/gen2", ignore_errors=True)
        return other


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    cluster.users = []  # every snakemake that was started
    try:
        cluster.start()
        yield cluster
    finally:
        for process in cluster.users:
            process.kill()  # nothing where it has ended, as it has unless a test failed
            process.wait()
        cluster.stop()


@pytest.fixture(scope="module")
def lineage(tmp_path_factory, cluster):
    """The lineage on its way through SLURM; the node went down and came back in generation 1."""
    site = Site(tmp_path_factory.mktemp("lineage") / "site", cluster)
    site.process = site.start(*GENERATION_1, *GENERATION_2)
    site.in_the_middle(generation=1)
    cluster.lose_node()
    return site


@pytest.fixture(scope="module")
def local(tmp_path_factory, lineage):
    """The lineage on this machine, undisturbed, while the other one is on its way."""
    site = Site(tmp_path_factory.mktemp("local") / "site", lineage.cluster)
    result = site.run(
        *GENERATION_1, *GENERATION_2, "--resources", "gpu=2", environment={"OMP_NUM_THREADS": "1"}
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return site


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory, local):
    """Three copies in whose generation 2 something happens, side by side, until all are done."""
    folder = tmp_path_factory.mktemp("disturbed")
    names = ("cancelled", "out of time", "killed")
    sites = {name: local.copy(folder / name.replace(" ", "-")) for name in names}
    processes = {name: site.start(*GENERATION_2) for name, site in sites.items()}
    with ThreadPoolExecutor() as threads:  # at once: none is to be done before it is looked at
        jobs = dict(zip(sites, threads.map(Site.in_the_middle, sites.values()), strict=True))
    local.cluster.call("scancel", *jobs["cancelled"])
    local.cluster.call("scontrol", "update", f"JobId={jobs['out of time'][0]}", "TimeLimit=1")
    processes["killed"].kill()
    processes["killed"].wait()
    sites["killed"].unlock()
    again = sites["killed"].start(*GENERATION_2)
    again.wait(PATIENCE)
    sites["killed"].refusal = sites["killed"].said()
    local.cluster.call("scancel", *jobs["killed"])
    wait_until(lambda: not local.cluster.jobs(sites["killed"].folder), PATIENCE)
    processes["killed"] = sites["killed"].start(*GENERATION_2)
    for name, process in processes.items():
        sites[name].ends_well(process)
    return sites


@pytest.mark.parametrize("name", ["cancelled", "out of time", "killed"])
def test_a_disturbed_job_carries_on_and_ends_in_the_bytes_of_a_local_run(name, disturbed, local):
    assert disturbed[name].carried_on()
    assert disturbed[name].settled() == local.settled()


def test_a_job_that_runs_out_of_time_gets_more_at_its_next_attempt(disturbed):
    site = disturbed["out of time"]
    tasks = [task for task in site.cluster.tasks(site.folder) if "rule_train" in task["Comment"]]
    assert [(task["TimeLimit"], task["MinMemoryNode"]) for task in tasks][:2] == [
        ("00:30:00", "500M"), ("01:00:00", "1000M"),
    ]  # fmt: skip


def test_jobs_left_by_a_killed_snakemake_are_named_and_not_doubled(disturbed):
    assert "SLURM jobs of an earlier run still work" in disturbed["killed"].refusal
    assert "scancel" in disturbed["killed"].refusal


def test_a_lineage_whose_node_was_lost_ends_in_the_bytes_of_a_local_run(lineage, local):
    lineage.ends_well(lineage.process)
    first = [task for task in lineage.cluster.tasks(lineage.folder) if "train_first" in task["Comment"]]  # fmt: skip
    assert [task["Restarts"] for task in first] == ["0", "1"]
    assert lineage.carried_on(generation=1)
    assert lineage.settled() == local.settled()


def test_jobs_ask_for_what_the_configuration_says_and_see_their_gpus(lineage):
    lineage.ends_well(lineage.process)
    asked = {
        (
            task["Comment"].removeprefix("rule_").partition("_wildcards_")[0],
            task["Partition"],
            task.get("TresPerJob"),
            len(task["Visible"].split(",")) if task["Visible"] else 0,
        )
        for task in lineage.cluster.tasks(lineage.folder)
    }
    gpu, none = ("large", "gres:gpu:pretend:1", 1), ("small", None, 0)
    two = "large", "gres:gpu:pretend:2", 2
    assert asked == {
        ("initial_corpus", *none), ("tokenizer", *none), ("tokenise", *none), ("sequences", *none),
        ("ppl", *none), ("train_first", *two), ("train", *two), ("sample", *gpu),
    }  # fmt: skip


def test_the_shards_of_a_corpus_are_jobs_of_their_own(lineage):
    lineage.ends_well(lineage.process)
    tasks = [task for task in lineage.cluster.tasks(lineage.folder) if "rule_sample" in task["Comment"]]  # fmt: skip
    assert len({task["JobId"] for task in tasks}) == len(tasks) == 4


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"gpu_partition": None}, "No partition specified.*as `gpu_partition`"),
        ({"partition": "nowhere"}, "Invalid partition name.*as `gpu_partition`"),
        ({"gpu_model": "a100"}, "SLURM refuses the jobs of .*a100:1.*change `gpu_partition` and `gpu_model`"),
        ({"partition": "tight"}, "gives 5 at most.*Set `max_runtime: 5`"),
    ],
)  # fmt: skip
def test_what_slurm_would_refuse_is_said_before_any_job_is_submitted(
    changes, message, cluster, tmp_path
):
    site = Site(tmp_path / "site", cluster)
    config = on_a_cluster()
    config["cluster"] |= changes
    site.configure(config)
    assert site.start(*GENERATION_2).wait(PATIENCE) != 0
    assert re.search(message, " ".join(site.said().split())), site.said()
    assert not (site.folder / "results").exists()


def test_results_that_compute_nodes_do_not_see_are_said_before_any_job_is_submitted(
    cluster, tmp_path
):
    """A disk of this Snakemake's own mount namespace, at a path that is a folder on the node too."""
    site = Site(tmp_path / "site", cluster)
    (site.folder / "results").mkdir()
    own_disk = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none results && exec "$@"', "sh")
    assert site.start(*GENERATION_2, within=own_disk).wait(PATIENCE) != 0
    said = " ".join(site.said().split())
    assert f"A compute node does not see {site.folder}/results" in said, site.said()
    assert "(tmpfs)" in said and "--directory" in said
    assert not cluster.jobs(site.folder)
    assert not [*site.folder.glob("**/.seen-by-nodes-*")]
