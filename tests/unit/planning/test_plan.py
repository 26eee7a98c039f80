"""A plan adds up its jobs, and is shown in units that fit."""

import pytest
from plan_inputs import MODEL, job, job_costs, shard

from ouroboros.config.families import declaration
from ouroboros.planning.plan import duration, page, plan, size


@pytest.fixture
def costs():
    return job_costs()


def test_a_plan_adds_up(costs):
    chain = [
        job("train", [shard(1, 0)], ["results/l/gen2/checkpoint"]),
        job("sample", ["results/l/gen2/checkpoint"], [shard(2, 0)], lm="gen2"),
        job("sample", ["results/l/gen2/checkpoint"], [shard(2, 1)], lm="gen2"),
        {**job("l", [shard(2, 0), shard(2, 1)], []), "gpus": 0},
    ]
    train, *samples = [costs.seconds(each) for each in chain[:3]]
    result = plan(chain, costs, [1, 2], None, 2)
    assert result["jobs"] == 3  # the target itself is none
    assert result["gpu_seconds"] == pytest.approx(train + sum(samples))
    assert [row["seconds"] for row in result["wall_clock"]] == pytest.approx(
        [train + sum(samples), train + max(samples)]
    )
    assert [row["cores"] for row in result["wall_clock"]] == [8, 16]
    assert result["critical_path_seconds"] == pytest.approx(train + max(samples))
    assert (
        result["disk"]["checkpoints"]["bytes"]
        == 4 * declaration(MODEL).parameters(MODEL, 300) + 70 * 300
    )
    assert "| sample |" in page("l", {**result, "notes": ["assumed: nothing"]})


def test_without_gpu_jobs_there_is_one_row(costs):
    listed = [{**job("table"), "gpus": 0}]
    assert [row["gpus"] for row in plan(listed, costs, [1, 2], None, 2)["wall_clock"]] == [0]


@pytest.mark.parametrize("seconds, text", [
    (5, "5 s"), (119, "119 s"), (600, "10 min"), (3600 * 3 + 65, "3 h 01 min"),
    (86400 * 3 + 3600 * 5, "3 d 05 h"),
])  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_sizes():
    assert [size(n) for n in (5, 12_345, 5e9, 2.5e12)] == ["5 B", "12.3 kB", "5 GB", "2.5 TB"]
