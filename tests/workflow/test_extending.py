"""docs/extending.md, performed: its files are written into a copy of the project, and nothing else is edited."""

import copy
import json
import os
import re
import subprocess
import sys

import numpy as np
import pyarrow.parquet as parquet
import pytest
from tools import REPOSITORY, TINY, Workflow, listed_jobs

from ouroboros.data.recipe import read_recipe
from ouroboros.pipeline.regimes import share

GUIDE = REPOSITORY / "docs/extending.md"
EXAMPLE = re.compile(r"^`([\w/.]+)`:\n\n```python\n(.*?)^```$", re.M | re.S)


def examples(*headings):
    """Path -> content of the example files below these headings of the guide."""
    found = {}
    for part in re.split(r"^## ", GUIDE.read_text(), flags=re.M):
        if part.splitlines()[0] in headings:
            found |= dict(EXAMPLE.findall(part))
    return found


def write_examples(folder, *headings):
    """Write the example files below these headings into a copy of the project."""
    for path, content in examples(*headings).items():
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)


@pytest.fixture(scope="module")
def extended(tmp_path_factory, texts):
    """A copy with all of the guide's examples, and its tiny lineage of one generation run but for the report."""
    workflow = Workflow(tmp_path_factory.mktemp("extended")).set_up(texts)
    write_examples(workflow.folder, "A regime", "A metric", "A figure", "A model family")
    config = copy.deepcopy(TINY)
    config["models"]["tiny"]["family"] = "local_gpt_neo"
    config["lineages"]["tiny"] |= {"regime": "with_initial", "generations": 1}
    config["evaluation"]["tiny"]["least_count"] = 3
    config["plan"] = {
        "rates": {"tiny": dict.fromkeys(("train", "sample", "ppl", "fine_tuning"), 1e4)}
    }
    workflow.configure(config)
    ran = workflow.run("results/tiny/table.md", "results/tiny/figures/story_length.png")
    assert ran.returncode == 0, ran.stdout[-4000:]
    return workflow


def test_the_guide_has_the_examples():
    assert len(examples("A regime")) == 1
    assert len(examples("A metric")) == 2
    assert len(examples("A figure")) == 1
    assert len(examples("A model family")) == 2


def test_the_regime_decides_what_generation_2_trains_on(extended):
    listing = extended.run("results/tiny/gen2/checkpoint", "--forceall", "--dry-run").stdout
    train = next(job for job in listed_jobs(listing) if job["rule"] == "train")
    shards = [path for path in train["input"].split(", ") if "/corpus/" in path]
    assert shards == [
        "results/tiny/gen0/corpus/shard-00000.parquet",
        *(f"results/tiny/gen1/corpus/shard-0000{shard}.parquet" for shard in range(2)),
    ]
    assert "results/tiny/gen2/recipe.parquet" in train["input"]
    rows = read_recipe(extended.folder / "results/tiny/gen1/recipe.parquet")
    initial = extended.folder / "results/tiny/gen0/corpus/shard-00000.parquet"
    assert len(rows[0]) == share(parquet.read_metadata(initial).num_rows, 0.5)


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
    figure = "results/tiny/figures/story_length"
    assert (extended.folder / f"{figure}.png").stat().st_size > 5000
    listing = extended.run("results/tiny/report.html", "--dry-run").stdout
    page = next(job for job in listed_jobs(listing) if job["rule"] == "report_page")
    assert f"{figure}.svg" in page["input"].split(", ")


def test_the_plan_knows_them(extended):
    planned = extended.run("results/tiny/plan.md")
    assert planned.returncode == 0, planned.stdout[-2000:]
    text = (extended.folder / "results/tiny/plan.md").read_text()
    assert re.search(r"\| vocabulary +\| +2 \|", text) and re.search(r"\| figure +\| +\d+ \|", text)


READ_BACK = """
import json, sys, torch
from transformers import AutoModelForCausalLM
from ouroboros.config.families import declaration
from ouroboros.model.checkpoint import read_lm

model, _ = read_lm(sys.argv[1])
ids = torch.randint(0, 300, (2, 32), generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    theirs = AutoModelForCausalLM.from_pretrained(sys.argv[1]).eval()(ids).logits
    difference = (model.logits(ids) - theirs).abs().max().item()
settings = json.loads(sys.argv[2])
counted = sum(parameter.numel() for parameter in model.parameters())
print(json.dumps({
    "module": type(model).__module__, "spans": model.spans, "difference": difference,
    "parameters": [declaration(settings).parameters(settings, 300), counted],
}))
"""


def test_a_generation_of_a_new_family_is_made_measured_and_read_back(extended):
    workflow, results = extended, extended.folder / "results/tiny"
    training = json.loads((results / "gen1/checkpoint/training.json").read_text())
    settings = training["provenance"]["model"]
    assert settings["family"] == "local_gpt_neo"
    assert 1 < json.loads((results / "gen1/ppl.json").read_text())["perplexity"] < 300
    environment = {**os.environ, "PYTHONPATH": str(workflow.folder / "workflow/scripts")}
    command = [sys.executable, "-c", READ_BACK, results / "gen1/checkpoint", json.dumps(settings)]
    read = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    found = json.loads(read.stdout)
    assert found["module"] == "ouroboros.model.families.local_gpt_neo.model"
    assert found["spans"] == [8, 8]  # of a gpt_neo it would be [32, 8]
    assert found["difference"] < 1e-4
    assert found["parameters"][0] == found["parameters"][1]


def test_a_family_that_is_not_there_is_refused_with_those_that_are(extended):
    refused = extended.run("tiny", "-n", "--config", "models={other: {family: local}}")
    assert refused.returncode != 0
    assert "models.other.family: 'local' is not one of gpt_neo, hf, local_gpt_neo" in refused.stdout
