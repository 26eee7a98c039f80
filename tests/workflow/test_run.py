"""A small lineage from its text to its figures, in a folder of its own, with real jobs."""

import copy
import json

import datasets
import pytest
from tools import TINY, artifacts

CLOCK_AND_HOST = "run"  # the part of a provenance block that differs between equal runs


def settled(path):
    """A file's content with the clock and host taken out."""
    if path.suffix != ".json":
        return path.read_bytes()
    content = json.loads(path.read_text())
    content.get("provenance", {}).pop(CLOCK_AND_HOST, None)
    return content


def test_it_runs_to_its_end(finished):
    table = (finished.folder / "results/tiny/table.md").read_text().splitlines()
    assert [row.split("|")[1].strip() for row in table[2:]] == ["baseline", "0", "1", "2", "3"]
    assert all(cell.strip() for cell in table[-1].split("|")[1:-1])


def test_the_second_run_does_nothing(lineage_copy):
    again = lineage_copy.run("tiny")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout


def test_every_json_says_where_it_comes_from(finished):
    paths = [*finished.folder.glob("results/tiny/**/*.json")]
    for path in paths:
        if "checkpoint" in path.parts and path.name != "training.json":
            continue
        block = json.loads(path.read_text())["provenance"]
        if path.name == "findings.json":  # of one lineage or of several
            assert block["lineages"] == ["tiny"]
        else:
            assert block["lineage"] == "tiny", path
            assert block["seed"] == 0
        assert block["versions"]["torch"]
        assert block["run"]["seconds"] > 0
    training = json.loads(
        (finished.folder / "results/tiny/gen2/checkpoint/training.json").read_text()
    )
    epochs = json.loads((finished.folder / "results/tiny/epochs.json").read_text())
    assert training["epochs"] == epochs["epochs"]
    assert training["updates"] == epochs["epochs"] * 5 == len(training["loss_curve"])  # 40 by 8
    assert training["provenance"]["generation"] == 2


def test_the_corpus_has_exactly_the_sequences_asked_for(finished, tmp_path):
    data = datasets.load_dataset(
        "parquet", data_files=str(finished.folder / "results/tiny/gen2/corpus/*.parquet"),
        split="train", cache_dir=tmp_path,
    )  # fmt: skip
    assert len(data) == 40
    assert all(len(row) == 32 for row in data["input_ids"])
    text = json.loads((finished.folder / "results/tiny/gen2/text.json").read_text())
    assert (text["sequences"], text["tokens"]) == (40, 40 * 32)


def test_every_job_has_a_log_and_the_long_ones_a_benchmark(finished):
    logs = artifacts(finished.folder / "logs")
    assert {"tiny/gen2/train.log", "tiny/gen2/sample-00001.log", "tiny/gen2/ppl.log"} <= logs
    assert {"tiny/gen2/train.tsv", "tiny/gen2/sample-00001.tsv", "tiny/gen2/ppl.tsv"} <= logs
    assert "epoch 1" in (finished.folder / "logs/tiny/gen2/train.log").read_text()


def test_equal_seeds_give_equal_bytes_and_shards_do_not_matter(finished, workflow):
    """Run again elsewhere, with other shards and batches: only the clock may differ."""
    config = copy.deepcopy(TINY)
    config["lineages"]["tiny"]["generations"] = 1
    for rule in ("sample", "ppl"):
        config["lineages"]["tiny"]["overrides"]["resources"][rule]["batch"] = 7
    workflow.configure(config)
    result = workflow.run(
        "results/tiny/gen1/corpus/shard-00001.parquet", "results/tiny/gen1/ppl.json"
    )
    assert result.returncode == 0, result.stdout[-4000:]
    for name in artifacts(workflow.folder / "results"):
        if name.endswith(".snakemake_timestamp"):
            continue
        ours, theirs = (flow.folder / "results" / name for flow in (workflow, finished))
        if name == "tiny/gen1/ppl.json":
            a, b = (json.loads(path.read_text()) for path in (ours, theirs))
            assert a["perplexity"] == pytest.approx(b["perplexity"], rel=1e-6)
        else:
            assert settled(ours) == settled(theirs), name


def test_a_lost_shard_is_made_again_alone_and_the_same(lineage_copy):
    name = "results/tiny/gen3/corpus/shard-00000.parquet"
    before = (lineage_copy.folder / name).read_bytes()
    (lineage_copy.folder / name).unlink()
    assert lineage_copy.planned(name) == {"sample tiny gen3 00000"}
    assert lineage_copy.run(name).returncode == 0
    assert (lineage_copy.folder / name).read_bytes() == before
