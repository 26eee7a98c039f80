"""A lineage on a real SLURM with an accounting daemon and a partition that goes before the others."""

import itertools
import re

import accounting
import pytest
from cluster import running
from on_slurm import GENERATION_1, PATIENCE, Site, on_a_cluster, why_not

if reason := why_not(accounts=True):
    pytest.skip(reason, allow_module_level=True)

TARGETS = [*GENERATION_1, "results/tiny/gen1/corpus/shard-00001.parquet"]
OPTIONS = ("--slurm-status-command", "sacct", "--resources", "gpu=1", "judge=1")


def with_account(account: str) -> dict:
    """One GPU for every training: no more are to be in flight."""
    config = on_a_cluster()
    config["cluster"]["account"] = account
    config["lineages"]["tiny"]["overrides"]["resources"]["train"]["gpu"] = 1
    return config


def accounted(site, *fields: str) -> list[list[str]]:
    """These fields of every job of a site, as the accounting has them."""
    asked = "sacct", "-X", "--noheader", "--parsable2", f"--format=WorkDir,{','.join(fields)}"
    rows = [line.split("|") for line in site.cluster.call(*asked).splitlines()]
    return [rest for folder, *rest in rows if folder == str(site.folder)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running(tmp_path_factory.mktemp("slurm"), accounts=True) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def preempted(cluster, tmp_path_factory):
    """A lineage whose first training had to give way to a job that goes before it."""
    site = Site(tmp_path_factory.mktemp("preempted") / "site", cluster)
    site.configure(with_account(accounting.ACCOUNT))
    process = site.start(*TARGETS, options=OPTIONS)
    site.in_the_middle(generation=1)
    cluster.preempt()
    local = Site(tmp_path_factory.mktemp("local") / "site", cluster)
    local.configure(with_account(accounting.ACCOUNT))
    local.locally(*TARGETS)
    site.ends_well(process)
    return site, local


@pytest.mark.slow
def test_a_preempted_job_is_queued_again_and_ends_in_the_bytes_of_a_local_run(preempted):
    site, local = preempted
    starts = [task for task in site.cluster.tasks(site.folder) if "rule_train" in task["Comment"]]
    assert [task["Restarts"] for task in starts] == ["0", "1"]
    assert site.carried_on(generation=1)
    assert site.settled() == local.settled()


@pytest.mark.slow
def test_the_accounting_has_every_job_under_the_account_of_the_configuration(preempted):
    site, _ = preempted
    assert {tuple(row) for row in accounted(site, "Account", "State")} == {
        (accounting.ACCOUNT, "COMPLETED")
    }


@pytest.mark.slow
def test_no_more_gpus_are_in_flight_than_the_one_number_says(preempted):
    """The next job that wants one is submitted when the last one has ended: `gpu=1`, two shards."""
    site, _ = preempted
    spans = sorted(
        (submitted, end)
        for submitted, end, asked in accounted(site, "Submit", "End", "ReqTRES")
        if "gres/gpu=1" in asked
    )
    assert len(spans) == 3, spans  # a training, two shards
    assert all(end <= submitted for (_, end), (submitted, _) in itertools.pairwise(spans)), spans


def test_an_account_that_is_not_ones_own_is_said_before_any_job_is_submitted(cluster, tmp_path):
    site = Site(tmp_path / "site", cluster)
    site.configure(with_account("others"))
    assert site.start(*TARGETS, options=OPTIONS).wait(PATIENCE) != 0
    said = " ".join(site.said().split())
    assert re.search("Invalid account.*Give an account of yours .* as `account`", said), said
    assert not (site.folder / "results").exists()
