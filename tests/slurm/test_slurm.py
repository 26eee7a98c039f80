"""A small lineage through the shipped profile and a real SLURM, disturbed, against a local run."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from cluster import running, wait_until
from every_regime import SETTINGS, with_regimes
from on_slurm import CHECKPOINT_2, GENERATION_1, GENERATION_2, PATIENCE, Site, on_a_cluster, why_not

if reason := why_not():
    pytest.skip(reason, allow_module_level=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def lineage(tmp_path_factory, cluster):
    """The lineage on its way through SLURM; the node went down and came back in generation 1."""
    site = Site(tmp_path_factory.mktemp("lineage") / "site", cluster)
    site.process = site.start(*GENERATION_1, *GENERATION_2)
    site.in_the_middle(generation=1)
    site.seen = site.status()
    cluster.lose_node()
    return site


@pytest.fixture(scope="module")
def local(tmp_path_factory, lineage):
    """The lineage on this machine, undisturbed, while the other one is on its way."""
    site = Site(tmp_path_factory.mktemp("local") / "site", lineage.cluster)
    site.locally(*GENERATION_1, *GENERATION_2)
    return site


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory, local):
    """Three copies in whose second training something happens, side by side, until all are done."""
    folder = tmp_path_factory.mktemp("disturbed")
    names = ("cancelled", "out of time", "killed")
    sites = {name: local.copy(folder / name.replace(" ", "-")) for name in names}
    processes = {name: site.start(CHECKPOINT_2) for name, site in sites.items()}
    with ThreadPoolExecutor() as threads:  # at once: none is to be done before it is looked at
        jobs = dict(zip(sites, threads.map(Site.in_the_middle, sites.values()), strict=True))
    local.cluster.call("scancel", *jobs["cancelled"])
    local.cluster.call("scontrol", "update", f"JobId={jobs['out of time'][0]}", "TimeLimit=1")
    processes["killed"].kill()
    processes["killed"].wait()
    sites["killed"].unlock()
    again = sites["killed"].start(CHECKPOINT_2)
    again.wait(PATIENCE)
    sites["killed"].refusal = sites["killed"].said()
    local.cluster.call("scancel", *jobs["killed"])
    wait_until(lambda: not local.cluster.jobs(sites["killed"].folder), PATIENCE)
    processes["killed"] = sites["killed"].start(CHECKPOINT_2)
    for name, process in processes.items():
        sites[name].ends_well(process)
    return sites


@pytest.mark.parametrize("name", ["cancelled", "out of time", "killed"])
def test_a_disturbed_job_carries_on_and_ends_in_the_bytes_of_a_local_run(name, disturbed, local):
    assert disturbed[name].carried_on()
    assert disturbed[name].settled() == {
        path: content for path, content in local.settled().items() if "gen2/corpus" not in path
    }


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


def test_status_is_told_beside_a_run_on_the_cluster(lineage):
    page, code = lineage.seen
    assert code == 3 and "jobs by slurm" in page and "0 of 2" in page and "gen1 train" in page, page


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


@pytest.mark.slow
def test_lineages_of_every_regime_are_those_of_a_local_run(cluster, tmp_path):
    targets = [f"results/{name}/gen3/checkpoint" for name in SETTINGS]
    site, local = (Site(tmp_path / name, cluster) for name in ("site", "local"))
    for each in (site, local):
        each.configure(with_regimes(SETTINGS, 3, on_a_cluster()))
    process = site.start(*targets)
    local.locally(*targets)
    site.ends_well(process, 4 * PATIENCE)
    assert site.settled() == local.settled()


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
