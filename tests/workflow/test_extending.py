"""docs/extending.md, performed: its files are written into a copy of the project, and nothing else is edited."""

import copy
import json
import re

import numpy as np
import pyarrow.parquet as parquet
import pytest
from tools import REPOSITORY, TINY, Workflow, listed_jobs

GUIDE = REPOSITORY / "docs/extending.md"
EXAMPLE = re.compile(r"^`([\w/.]+)`:\n\n```python\n(.*?)^```$", re.M | re.S)


def examples(*headings):
    """Path -> content of the example files below these headings of the guide."""
    found = {}
    for part in re.split(r"^## ", GUIDE.read_text(), flags=re.M):
        if part.splitlines()[0] in headings:
            found |= dict(EXAMPLE.findall(part))
    return found


@pytest.fixture(scope="module")
def extended(tmp_path_factory, texts):
    """A copy with the guide's regime, metric and figure, and its tiny lineage of one generation run."""
    workflow = Workflow(tmp_path_factory.mktemp("extended"), texts)
    for path, content in examples("A regime", "A metric", "A figure").items():
        file = workflow.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    config = copy.deepcopy(TINY)
    config["lineages"]["tiny"] |= {"regime": "with_initial", "generations": 1}
    config["evaluation"]["tiny"]["least_count"] = 3
    config["plan"] = {
        "rates": {"tiny": dict.fromkeys(("train", "sample", "ppl", "fine_tuning"), 1e4)}
    }
    workflow.configure(config)
    ran = workflow.run("tiny")
    assert ran.returncode == 0, ran.stdout[-4000:]
    return workflow


def test_the_guide_has_the_examples():
    assert len(examples("A regime")) == 1
    assert len(examples("A metric")) == 2
    assert len(examples("A figure")) == 1


def test_the_regime_decides_what_generation_2_trains_on(extended):
    listing = extended.run("results/tiny/gen2/checkpoint", "--forceall", "--dry-run").stdout
    train = next(job for job in listed_jobs(listing) if job["rule"] == "train")
    shards = [path for path in train["input"].split(", ") if "/corpus/" in path]
    assert shards == [
        "results/tiny/gen0/corpus/shard-00000.parquet",
        *(f"results/tiny/gen1/corpus/shard-0000{shard}.parquet" for shard in range(2)),
    ]


def test_the_metric_is_measured_and_shown(extended):
    results = extended.folder / "results/tiny"
    for generation in range(2):
        shards = sorted((results / f"gen{generation}/corpus").glob("*.parquet"))
        ids = np.concatenate(
            [np.concatenate(parquet.read_table(path)["input_ids"].to_numpy()) for path in shards]
        )
        counts = np.unique(ids, return_counts=True)[1]
        measured = json.loads((results / f"gen{generation}/vocabulary.json").read_text())
        assert measured["used"] == (counts >= 3).sum() / 300
        assert measured["provenance"]["least_count"] == 3
        shown = f"{measured['used']:.1%}"
        assert shown in (results / "table.md").read_text()
        assert shown in (results / "report.html").read_text()
    assert "vocabulary used" in (results / "table.md").read_text()
    assert not (results / "baseline/vocabulary.json").exists()


def test_its_settings_are_checked_and_its_jobs_sized(extended):
    wrong = copy.deepcopy(TINY)
    wrong["evaluation"]["tiny"]["least_count"] = 0
    (extended.folder / "wrong.yaml").write_text(json.dumps(wrong))
    said = extended.run("-n", "--configfile", "wrong.yaml").stdout
    assert "evaluation.tiny.least_count: 0 is less than the minimum of 1. Occurrences from" in said
    listing = extended.run("results/tiny/gen1/vocabulary.json", "--forceall", "--dry-run").stdout
    assert re.search(r"rule vocabulary:(?:\n    .*)*mem_mb=1000", listing)


def test_the_figure_is_drawn_and_in_the_report(extended):
    results = extended.folder / "results/tiny"
    assert (results / "figures/story_length.png").stat().st_size > 5000
    assert "Mean length of a story by generation." in (results / "report.html").read_text()


def test_the_plan_knows_them(extended):
    planned = extended.run("results/tiny/plan.md")
    assert planned.returncode == 0, planned.stdout[-2000:]
    text = (extended.folder / "results/tiny/plan.md").read_text()
    assert re.search(r"\| vocabulary +\| +2 \|", text) and re.search(r"\| figure +\| +\d+ \|", text)
