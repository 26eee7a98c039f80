"""Generations that begin with a model which was trained elsewhere, or with the generation before them."""

import copy
import json

import pytest
from safetensors.torch import load_file, save_file
from tools import TINY, listed_jobs

from ouroboros.storage.atomic import read_json

STARTS = {"anew": "initial", "onward": "previous"}


def weights(folder):
    return load_file(folder / "checkpoint/model.safetensors")


def distance(some, others):
    """Sum over all weights of the squared differences."""
    return sum(((some[name] - others[name]) ** 2).sum().item() for name in some)


@pytest.fixture
def begun(lineage_copy):
    """A workflow whose finished lineage's first generation is the initial model of two others."""
    source = lineage_copy.folder / "results/tiny/gen1/checkpoint"
    folder = lineage_copy.folder / "pretrained"
    folder.mkdir()
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = copy.deepcopy(TINY)
    for name, start in STARTS.items():
        config["lineages"][name] = {
            **config["lineages"]["tiny"], "generations": 2, "initial_model": "pretrained", "start": start,
        }  # fmt: skip
    lineage_copy.configure(config)
    return lineage_copy


def test_each_generation_begins_where_it_is_said_to(begun):
    result = begun.run(
        *(f"results/{name}/gen2/checkpoint" for name in STARTS),
        "results/anew/baseline/ppl.json",
    )
    assert result.returncode == 0, result.stdout[-3000:]
    results = begun.folder / "results"
    given = weights(results / "tiny/gen1")
    assert read_json(results / "anew/baseline/ppl.json")["loss"] == pytest.approx(
        read_json(results / "tiny/gen1/ppl.json")["loss"], abs=1e-5
    )
    baseline, first, second = (
        weights(results / "onward" / lm) for lm in ("baseline", "gen1", "gen2")
    )
    assert distance(baseline, given) < 1e-9 < distance(first, given)
    assert distance(second, first) < distance(second, baseline)  # it went on from there
    again = weights(results / "anew/gen2")
    assert distance(again, baseline) < distance(second, baseline)  # it began anew

    # another file of the initial model makes all of it again, and nothing else
    save_file({name: tensor + 0.01 for name, tensor in given.items()},
              begun.folder / "pretrained/model.safetensors", metadata={"format": "pt"})  # fmt: skip
    plan = begun.run("results/anew/gen2/ppl.json", "tiny", "--dry-run")
    made = {
        (job["rule"], job["wildcards"].split(",")[0])
        for job in listed_jobs(plan.stdout)
        if "wildcards" in job
    }
    assert {("baseline", "lineage=anew"), ("train", "lineage=anew")} <= made
    assert not any("lineage=tiny" in where for _, where in made)


def test_a_folder_that_is_no_model_is_named_before_anything_runs(begun):
    (begun.folder / "pretrained/config.json").unlink()
    result = begun.run("results/anew/gen2/ppl.json")
    assert result.returncode == 1 and "pretrained holds no config.json" in result.stdout
    config = json.loads(json.dumps(TINY))
    config["lineages"]["tiny"] |= {"initial_model": "./nowhere"}
    begun.configure(config)
    result = begun.run("results/tiny/gen2/ppl.json")
    assert result.returncode == 1 and "there is no folder nowhere" in result.stdout
    assert "Traceback" not in result.stdout
