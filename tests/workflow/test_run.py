"""A small lineage from its text to its figures, in a folder of its own, with real jobs."""

import copy
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tools import CONFIG, SCHEMA, SEED, TINY, artifacts, listed_jobs, read_shards

from ouroboros.config.resolve import resolve
from ouroboros.data.tokenise import read_token_stories
from ouroboros.model.checkpoint import read_lm
from ouroboros.model.decoding import Decoding
from ouroboros.model.families import random_model
from ouroboros.model.scoring import mean_loss, story_losses
from ouroboros.randomness import seed_for
from ouroboros.sampling.sampler import sample
from ouroboros.training.epochs import epochs_in_words
from ouroboros.training.trainer import Training, TrainingSettings, train

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
    assert [row.split("|")[1].strip() for row in table[2:-2]] == ["baseline", "0", "1", "2", "3"]
    assert all(cell.strip() for cell in table[-3].split("|")[1:-1])


def test_table_and_report_say_how_the_epochs_were_found(finished):
    """Both epochs that it may train for lower the held-out loss."""
    results = finished.folder / "results/tiny"
    found = json.loads((results / "epochs.json").read_text())
    sentence = epochs_in_words(found)
    assert found["found_by"] == "max_epochs" and "stopped at max_epochs = 2" in sentence
    assert (results / "table.md").read_text().endswith(f"|\n\n{sentence}\n")
    assert f"<p>{sentence}</p>" in (results / "report.html").read_text()


def test_the_second_run_does_nothing(lineage_copy):
    again = lineage_copy.run("tiny")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout


def test_status_is_told_beside_a_run_and_after_it(lineage_copy):
    """From the record that the run leaves; neither adds a job to a run."""
    page, code = lineage_copy.status()
    assert code == 0 and page.startswith("tiny: done; ") and "tiny     3 of 3       " in page
    (lineage_copy.folder / "results/tiny/gen3/text.json").unlink()
    seen = []
    with ThreadPoolExecutor() as threads:
        running = threads.submit(lineage_copy.run, "results/tiny/gen3/text.json")
        while not running.done():
            seen.append(lineage_copy.status())
            time.sleep(0.1)
    assert running.result().returncode == 0, running.result().stdout
    page = next(page for page, code in seen if code == 3)
    assert page.startswith("results/tiny/gen3/text.json: running; 0 of 1 jobs done")
    assert any("gen3 text: begun" in page for page, _ in seen)
    page, code = lineage_copy.status()
    assert code == 0 and "3 of 3       1 of 1" in page
    assert not lineage_copy.planned("tiny") & {"text tiny gen3"}


def test_a_copy_without_its_times_is_marked_as_up_to_date(lineage_copy):
    """docs/resume.md says how. The times are as a copy may leave them: what is made first is newest."""
    files = [path for path in (lineage_copy.folder / "results").rglob("*") if path.is_file()]
    newest = max(path.lstat().st_mtime for path in files)
    for path in files:
        time = 2 * newest - path.lstat().st_mtime - 86400
        os.utime(path, (time, time), follow_symlinks=False)
    touched = lineage_copy.run("--touch", "tiny")
    assert touched.returncode == 0 and "rule train:" in touched.stdout, touched.stdout
    assert lineage_copy.planned("tiny") == set()


def test_every_json_says_where_it_comes_from(finished):
    paths = [*finished.folder.glob("results/tiny/**/*.json")]
    for path in paths:
        if "checkpoint" in path.parts and path.name != "training.json":
            continue
        block = json.loads(path.read_text())["provenance"]
        if path.name in ("findings.json", "profile.json"):  # of one lineage or of several
            assert block["lineages"] == ["tiny"]
        else:
            assert block["lineage"] == "tiny", path
            assert block["seed"] == SEED
        if lm := re.search(r"/(baseline|gen\d)/", str(path)):
            generation = 0 if lm[1] == "baseline" else int(lm[1][-1])
            assert block.get("generation", generation) == generation, path
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


@pytest.mark.usefixtures("one_thread")
def test_a_generation_is_trained_on_the_corpora_before_it_by_its_own_seeds(finished):
    """Trained again from seeds and shards: the loss of every update, and the weights."""
    results = finished.folder / "results"
    settings = resolve(copy.deepcopy(CONFIG | TINY | {"comparisons": {}}), SCHEMA)
    settings = settings["lineages"]["tiny"]
    epochs = json.loads((results / "tiny/epochs.json").read_text())["epochs"]
    for n in (1, 2, 3):
        job = Training(
            random_model(settings["model"], 300, seed_for(SEED, n, "weights")),
            TrainingSettings(**settings["training"]),
            read_shards(sorted(results.glob(f"tiny/gen{n - 1}/corpus/*.parquet"))),
            SEED, n, torch.device("cpu"), 16,
        )  # fmt: skip
        model = train(job, epochs)
        made = results / f"tiny/gen{n}/checkpoint"
        curve = json.loads((made / "training.json").read_text())["loss_curve"]
        assert job.losses == pytest.approx(curve[: len(job.losses)], rel=1e-4)
        for ours, theirs in zip(model.parameters(), read_lm(made)[0].parameters(), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-3)
    baseline = read_lm(results / "tiny/baseline/checkpoint")[0]
    weights = random_model(settings["model"], 300, seed_for(SEED, 0, "weights")).wte.weight
    assert torch.equal(baseline.wte.weight, weights)


def test_a_shard_holds_its_sequences_of_its_own_generation(finished):
    results = finished.folder / "results/tiny"
    for n in (1, 2, 3):
        model, end_of_text = read_lm(results / f"gen{n}/checkpoint")
        key = seed_for(SEED, n, "sampling")
        expected = np.concatenate(
            [*sample(model, key, range(40), 32, end_of_text, 16, Decoding(0.8))]
        )
        for shard, part in enumerate((expected[:20], expected[20:])):
            corpus = read_shards([results / f"gen{n}/corpus/shard-0000{shard}.parquet"])
            assert np.array_equal(corpus.tokens, part)
            assert corpus.previous.tolist() == [end_of_text] * 20


def test_epochs_are_found_on_the_held_out_stories_and_perplexity_is_of_the_others(finished):
    results = finished.folder / "results"
    parts = [
        read_token_stories(results / f"corpora/own/small/{split}.parquet")
        for split in ("heldout", "validation")
    ]
    assert {story.tobytes() for story in parts[0]}.isdisjoint(part.tobytes() for part in parts[1])
    found = json.loads((results / "tiny/epochs.json").read_text())
    for lm in ("baseline", "gen1", "gen2", "gen3"):
        model, end_of_text = read_lm(results / f"tiny/{lm}/checkpoint")
        held_out, validation = (
            mean_loss(story_losses(model, [story[:cut] for story in stories], end_of_text, 32, 50))
            for stories, cut in zip(parts, (32, None), strict=True)
        )
        measured = json.loads((results / f"tiny/{lm}/ppl.json").read_text())
        assert measured["loss"] == pytest.approx(validation, rel=1e-5)
        if lm == "gen1":
            assert found["held_out_losses"][found["epochs"] - 1] == pytest.approx(
                held_out, rel=1e-5
            )


def test_the_losses_of_stories_lie_beside_and_nothing_asks_for_them(lineage_copy):
    """Results made before they were kept are not made again; where they are wanted, nothing is trained."""
    results = lineage_copy.folder / "results/tiny"
    for lm in ("baseline", "gen1", "gen2", "gen3"):
        kept = results / lm / "ppl-stories.parquet"
        measured = json.loads((results / lm / "ppl.json").read_text())
        table = pq.read_table(kept).to_pydict()
        assert sum(table["loss"]) / sum(table["tokens"]) == pytest.approx(measured["loss"])
        assert len(table["loss"]) == measured["stories"]
        kept.unlink()
    assert lineage_copy.planned("results/tiny/report.html") == set()
    again = lineage_copy.planned("results/tiny/findings.json", "--forcerun", "ppl")
    assert {job.split()[0] for job in again} == {"ppl", "findings"} and len(again) == 5


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
        elif name == "tiny/gen1/ppl-stories.parquet":
            a, b = (pq.read_table(path).to_pydict() for path in (ours, theirs))
            assert a["tokens"] == b["tokens"]
            assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
        else:
            assert settled(ours) == settled(theirs), name


def test_a_lost_shard_is_made_again_alone_and_the_same(lineage_copy):
    name = "results/tiny/gen3/corpus/shard-00000.parquet"
    before = (lineage_copy.folder / name).read_bytes()
    (lineage_copy.folder / name).unlink()
    assert lineage_copy.planned(name) == {"sample tiny gen3 00000"}
    assert lineage_copy.run(name).returncode == 0
    assert (lineage_copy.folder / name).read_bytes() == before


def test_jobs_are_looked_for_when_one_ends(lineage_copy):
    """Not by the clock too: such looks, more for every job that has ended, took a core of long runs."""
    made = [f"results/tiny/gen{n}/{metric}.json" for metric in ("text", "oov") for n in range(4)]
    result = lineage_copy.run("--verbose", "--forcerun", "text", "oov", "--", *made)
    assert result.returncode == 0, result.stdout[-3000:]
    assert 1 < result.stdout.count("Ready jobs: ") <= 1 + len(made)


def test_a_run_is_ended_while_the_scheduler_is_at_work(lineage_copy, tmp_path):
    """SIGTERM just then, as a job has ended, left a process that waited for itself."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\n"
        "from snakemake.scheduling.job_scheduler import JobScheduler\n"
        "finish = JobScheduler._finish_jobs\n"
        "def end(self):\n"
        "    if self._tofinish:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return finish(self)\n"
        "JobScheduler._finish_jobs = end\n"
    )
    command = [sys.executable, "-m", "snakemake", "--configfile", "tiny.yaml", "--cores", "1",
               "--forcerun", "text", "--", "results/tiny/gen1/text.json", "results/tiny/gen2/text.json"]  # fmt: skip
    run = subprocess.Popen(
        command, cwd=lineage_copy.folder, env={**os.environ, "PYTHONPATH": str(tmp_path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode not in (0, -signal.SIGKILL), output[-3000:]
    assert not [*lineage_copy.folder.glob(".snakemake/locks/*")]


def test_auto_samples_as_many_sequences_as_the_initial_corpus_has(lineage_copy):
    """Its shards are of almost one size, and nothing before them is made again."""
    config = copy.deepcopy(TINY)
    config["sampling"]["tiny"] |= {"sequences": "auto", "shards": 3}
    lineage_copy.configure(config)
    shards = [f"results/tiny/gen1/corpus/shard-0000{number}.parquet" for number in range(3)]
    result = lineage_copy.run(*shards)
    assert result.returncode == 0, result.stdout[-3000:]
    assert {job["rule"] for job in listed_jobs(result.stdout)} == {"sample"}
    initial = lineage_copy.folder / "results/tiny/gen0/corpus/shard-00000.parquet"
    sizes = [pq.read_metadata(lineage_copy.folder / shard).num_rows for shard in shards]
    assert sum(sizes) == pq.read_metadata(initial).num_rows
    assert max(sizes) - min(sizes) <= 1


def test_auto_with_more_shards_than_sequences_is_refused(lineage_copy):
    config = copy.deepcopy(TINY)
    config["sampling"]["tiny"] |= {"sequences": "auto", "shards": 9999}
    lineage_copy.configure(config)
    result = lineage_copy.run("results/tiny/gen1/corpus/shard-00000.parquet")
    assert result.returncode
    assert "too few for 9999 shards of as many. Lower `shards`" in result.stdout
