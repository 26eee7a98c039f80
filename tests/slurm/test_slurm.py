"""A small lineage through the shipped profile and a real SLURM, disturbed, against a local run."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from cluster import running, wait_until
from every_family import with_families
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


def in_the_middle(local, folder, *names):
    """Copies whose second training is at work in SLURM, side by side, and held there: name -> site.

    `site.process` is its Snakemake, `site.jobs` the SLURM jobs.
    """
    sites = {name: local.copy(folder / name.replace(" ", "-")) for name in names}
    for site in sites.values():
        site.process = site.start(CHECKPOINT_2)
    with ThreadPoolExecutor() as threads:  # at once: none is to be done before it is looked at
        for site, jobs in zip(
            sites.values(), threads.map(Site.in_the_middle, sites.values()), strict=True
        ):
            site.jobs = jobs
    return sites


@pytest.fixture(scope="module")
def killed(tmp_path_factory, local):
    """A copy whose Snakemake was killed, started too soon after, and again when its job had ended."""
    site = in_the_middle(local, tmp_path_factory.mktemp("disturbed"), "killed")["killed"]
    site.process.kill()
    site.process.wait()
    site.unlock()
    site.start(CHECKPOINT_2).wait(PATIENCE)
    site.refusal = site.said()
    site.cluster.call("scancel", *site.jobs)
    wait_until(lambda: not site.cluster.jobs(site.folder), PATIENCE)
    site.ends_well(site.start(CHECKPOINT_2))
    return site


@pytest.fixture(scope="module")
def ended(tmp_path_factory, local):
    """Two copies whose job SLURM ended: it was cancelled, or ran out of time."""
    sites = in_the_middle(local, tmp_path_factory.mktemp("ended"), "cancelled", "out of time")
    local.cluster.call("scancel", *sites["cancelled"].jobs)
    late = sites["out of time"].jobs[0]
    local.cluster.call("scontrol", "update", f"JobId={late}", "TimeLimit=1")
    for site in sites.values():
        site.ends_well(site.process)
    return sites


def carried_on_to_the_same_bytes(site, local):
    assert site.carried_on()
    assert site.settled() == {
        path: content for path, content in local.settled().items() if "gen2/corpus" not in path
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cancelled", "out of time"])
def test_a_job_that_slurm_ended_carries_on_and_ends_in_the_bytes_of_a_local_run(name, ended, local):
    carried_on_to_the_same_bytes(ended[name], local)


@pytest.mark.slow
def test_a_job_that_runs_out_of_time_gets_more_at_its_next_attempt(ended):
    site = ended["out of time"]
    tasks = [task for task in site.cluster.tasks(site.folder) if "rule_train" in task["Comment"]]
    assert [(task["TimeLimit"], task["MinMemoryNode"]) for task in tasks][:2] == [
        ("00:30:00", "500M"), ("01:00:00", "1000M"),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_job_whose_snakemake_was_killed_ends_in_the_bytes_of_a_local_run(killed, local):
    carried_on_to_the_same_bytes(killed, local)


@pytest.mark.slow
def test_jobs_left_by_a_killed_snakemake_are_named_and_not_doubled(killed):
    assert "SLURM jobs of an earlier run still work" in killed.refusal
    assert "scancel" in killed.refusal


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
@pytest.mark.parametrize(
    "make",
    [lambda config: with_regimes(SETTINGS, 3, config), lambda config: with_families(3, config)],
    ids=["regime", "family"],
)
def test_lineages_of_every_kind_are_those_of_a_local_run(make, cluster, tmp_path):
    config = make(on_a_cluster())
    targets = [f"results/{name}/gen3/checkpoint" for name in config["lineages"]]
    site, local = (Site(tmp_path / name, cluster) for name in ("site", "local"))
    for each in (site, local):
        each.configure(config)
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
