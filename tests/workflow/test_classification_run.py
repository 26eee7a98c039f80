"""A task from its examples to the figures of a generation, with real jobs; and what stops it early."""

import copy
import json

from tools import TINY, artifacts

TASKS = {  # Snakemake would take what is in braces for a wildcard
    "own": {
        "kind": "sst2", "source": "files", "files": ["train{1}.tsv"], "validation_files": ["valid*.jsonl"]
    },
    "shipped": {"kind": "mrpc", "source": "fixture", "epochs": 0.25},
}  # fmt: skip


def configure(workflow, tasks=("own", "shipped"), **changes):
    config = copy.deepcopy(TINY)
    config["tasks"] = {**copy.deepcopy(TASKS), **changes}
    config["lineages"]["tiny"]["generations"] = 1
    config["evaluation"]["tiny"]["classification"] = {
        "tasks": list(tasks), "learning_rate": 1.0e-3, "max_length": 32
    }  # fmt: skip
    resources = config["lineages"]["tiny"]["overrides"]["resources"]
    resources["classification"] = {"gpu": 0, "threads": 1, "mem_mb": 500}
    workflow.configure(config)
    (workflow.folder / "train{1}.tsv").write_text("sentence\tlabel\ngood\t1\nbad\t0\nfine\t1\n")
    (workflow.folder / "valid1.jsonl").write_text('{"sentence": "a good one", "label": 1}\n')


def test_every_lm_is_measured_on_every_task(lineage_copy):
    workflow = lineage_copy
    configure(workflow)
    targets = [
        "results/tiny/baseline/classification/own.json",
        "results/tiny/gen1/classification/own.json",
        "results/tiny/baseline/classification/shipped.json",
    ]
    result = workflow.run(*targets)
    assert result.returncode == 0, result.stdout[-4000:]
    for target in targets:
        found = json.loads((workflow.folder / target).read_text())
        block = found["provenance"]
        assert target.split("/")[2] == block["lm"]
        assert block["fine_tuning"]["epochs"] == {"own": 1, "shipped": 0.25}[block["task"]]
        assert found["training"]["examples"] == {"own": 3, "shipped": 12}[block["task"]]
        assert found["examples"] == {"own": 1, "shipped": 24}[block["task"]]
        assert found["majority"]["class"]
    assert "tiny/gen1/classification-own.log" in artifacts(workflow.folder / "logs")
    # one task's settings are no other's business
    changed = {"shipped": {**TASKS["shipped"], "epochs": 0.5}}
    configure(workflow, **changed)
    assert workflow.planned(*targets) >= {"classification tiny baseline shipped"}
    assert "classification tiny baseline own" not in workflow.planned(*targets)


def test_a_row_that_is_wrong_ends_the_job_with_its_line(workflow):
    configure(workflow)
    (workflow.folder / "train{1}.tsv").write_text("sentence\tlabel\ngood\t1\nbad\t2\n")
    result = workflow.run("results/tasks/own/train.parquet")
    assert result.returncode != 0
    assert "train{1}.tsv, line 3: the label '2' is none of this task's" in result.stdout
    assert not (workflow.folder / "results/tasks/own/train.parquet").exists()


def test_files_and_tasks_that_there_are_not_are_named_before_anything_runs(workflow):
    configure(workflow, own={**TASKS["own"], "files": ["nothing.tsv"]})
    assert "tasks.own.files: 'nothing.tsv' matches no file" in workflow.run("tiny", "-n").stdout
    configure(workflow, tasks=["owm"])
    said = workflow.run("tiny", "-n").stdout
    assert "there is no 'owm' under `tasks`. Did you mean 'own'?" in said
