"""The page of a run in each state, and its exit code."""

import os
import subprocess
import sys
import time

import pytest
from tools import REPOSITORY

from ouroboros.errors import UserError
from ouroboros.pipeline import run_records
from ouroboros.status.page import status

LINE = "2026-11-25 15:42:42 {}: {} of 1000 {} ({} %), {} {}/s, 0:00:30 left, loss 2.0\n"


def seen():
    """The page's lines, and the exit code. No line is wider than a terminal of 100 columns."""
    page, code = status(REPOSITORY)
    assert max(map(len, page.splitlines())) <= 100
    return page.splitlines(), code


def row(lines, name):
    return next(line for line in lines if line.split()[:1] == [name])


def test_nothing_ran(folder):
    with pytest.raises(
        UserError, match=r"Nothing ran in .*--cores all demo.*make status DIRECTORY="
    ):
        status(REPOSITORY)


def test_results_without_a_record(folder):
    folder.made(1)
    with pytest.raises(UserError, match="results, but no record of a run in logs/runs/"):
        status(REPOSITORY)


def test_a_run_at_work(folder):
    folder.begin()
    folder.made(1, seconds=30)
    folder.event("localrule train_first:", "gen1/train", ago=60)
    folder.event("localrule train:", "gen2/train", ago=10)
    log = LINE.format("generation 2, epoch 3", 450, "tokens", 45, "1.2e+04", "tokens")
    # held-out stories, as generation 1 measures between two epochs
    log += LINE.format("perplexity", 1000, "tokens", 100, "9e+04", "tokens")
    folder.write("logs/tiny/gen2/train.log", log)
    lines, code = seen()
    assert code == 3 and lines[0] == "tiny: running; 3 of 9 jobs done"
    assert f"by process {os.getpid()} on " in lines[1]
    cells = "gen2 train, epoch 3 45%, 12,000 tokens/s"
    # 20 s of gen2's training, then 30 for each of two cores' sampling, training, sampling
    assert row(lines, "tiny").split() == f"tiny 1 of 3 3 of 9 {cells} 110 s".split()
    assert lines[-1] == "time left: about 110 s, by the times of jobs that are done"


def test_shards_are_counted_together_in_sequences(folder):
    folder.begin()
    folder.write("results/tiny/gen1/checkpoint/config.json", "")
    for shard, done in enumerate((200, 600)):
        folder.event("rule sample:", f"gen1/sample-0000{shard}")
        log = LINE.format("sample", done, "tokens", done // 10, 3200, "tokens")  # 32 of a sequence
        folder.write(f"logs/tiny/gen1/sample-0000{shard}.log", log)
    lines, code = seen()
    assert code == 3 and "gen1 sample (2 jobs) 40%, 200 sequences/s" in row(lines, "tiny")
    assert lines[-1].startswith("time left: unknown: no generation is trained")


def test_a_job_that_waits_for_its_node_is_queued(folder):
    folder.begin(executor="slurm")
    folder.event("rule train_first:", "gen1/train", ago=5)
    # of the attempt before
    folder.write("logs/tiny/gen1/train.log", "2026-11-25 15:42:42 Stopped by SIGTERM.\n", ago=50)
    lines, code = seen()
    assert code == 3 and "gen1 train: queued" in row(lines, "tiny")
    folder.write("logs/tiny/gen1/train.log", "")
    assert "gen1 train: begun 5 s ago" in row(seen()[0], "tiny")


def test_a_finished_run(folder):
    path = folder.begin()
    for n in (1, 2, 3):
        folder.made(n)
    run_records.end(path, run_records.DONE)
    lines, code = seen()
    assert code == 0 and lines[0] == "tiny: done; 9 of 9 jobs done"
    assert row(lines, "tiny").split() == ["tiny", "3", "of", "3", "9", "of", "9"]
    assert not any("left" in line for line in lines[3:] if not line.startswith("lineage"))


def test_a_job_failed_while_others_are_at_work(folder):
    folder.begin()
    folder.write("results/tiny/gen1/checkpoint/config.json", "")
    folder.event("rule sample:", "gen1/sample-00000")
    folder.event("rule sample:", "gen1/sample-00001")
    folder.write("logs/tiny/gen1/sample-00001.log", "")
    error = (
        "2026-11-25 15:42:42 error: The memory is too small for this job: x. Lower\nthe batch.\n"
    )
    folder.write("logs/tiny/gen1/sample-00000.log", error)  # before Snakemake has noticed
    lines, code = seen()
    assert code == 1 and lines[0] == "tiny: running; 1 of 9 jobs done"
    assert lines[-2:] == [
        "  tiny gen1 sample: logs/tiny/gen1/sample-00000.log",
        "    The memory is too small for this job: x. Lower the batch.",
    ]


def test_a_failed_run_names_the_job_and_its_log(folder):
    path = folder.begin()
    folder.event("rule train_first:", "gen1/train")
    error = "2026-11-25 15:42:42 This is an error of the workflow itself:\nTraceback:\n  x\nKeyError: 'y'\n"
    folder.write("logs/tiny/gen1/train.log", error)
    folder.event("Error in rule train_first:", "gen1/train", ago=0)
    run_records.end(path, run_records.FAILED)
    lines, code = seen()
    assert code == 1 and lines[0] == "tiny: failed; 0 of 9 jobs done"
    assert lines[-2:] == ["  tiny gen1 train: logs/tiny/gen1/train.log", "    KeyError: 'y'"]


def test_a_job_that_was_killed_has_failed_though_its_log_is_silent(folder):
    folder.begin()
    folder.event("rule train_first:", "gen1/train")
    folder.event("Error in rule train_first:", "gen1/train", ago=5)
    lines, code = seen()
    assert code == 1 and "it was killed (memory, time limit)" in " ".join(lines)
    folder.event("rule train_first:", "gen1/train", ago=0)  # the next attempt
    assert seen()[1] == 3


def test_a_run_that_was_killed(folder, gone, changed):
    changed(folder.begin(), pid=gone)
    folder.lock()
    folder.made(1)
    folder.event("rule train:", "gen2/train")
    folder.write("logs/tiny/gen2/train.log", "")
    lines, code = seen()
    said = " ".join(lines)
    assert code == 4 and lines[0] == "tiny: stopped; 3 of 9 jobs done"
    assert "snakemake --unlock" in said and "cut off: gen2 train" in row(lines, "tiny")


def test_a_stopped_run(folder):
    run_records.end(folder.begin(), run_records.FAILED)  # Ctrl-C; no job failed
    lines, code = seen()
    assert code == 4 and "The same command again carries on." in lines[2]


def test_a_run_on_another_machine(folder, changed):
    """Nobody here can see whether its process is alive: while there is a lock, it counts as running."""
    changed(folder.begin(), host="elsewhere")
    folder.lock()
    lines, code = seen()
    assert code == 3 and lines[0].startswith("tiny: running, or killed;")
    assert "one cannot see whether it still runs; a log grew 0 s ago" in " ".join(lines)
    (folder.path / ".snakemake/locks/0.output.lock").unlink()
    assert seen()[1] == 4


def test_results_of_an_earlier_run_do_not_count(folder):
    """A changed setting makes them again; until then they lie there."""
    folder.made(1)
    for path in folder.path.glob("results/tiny/gen1/*"):
        os.utime(path, (time.time() - 500,) * 2)
    for path in folder.path.glob("results/tiny/gen1/corpus/*"):
        os.utime(path, (time.time() - 500,) * 2)
    folder.begin()
    lines, _ = seen()
    assert row(lines, "tiny").split() == ["tiny", "0", "of", "3", "0", "of", "9"]


def test_generations_that_need_nothing_count_as_done(folder):
    """A second run for what the first had left lists only that."""
    folder.made(1)
    path = folder.begin()
    _, run = run_records.read_all()[0]
    path.unlink()
    later = [{**job, "after": []} for job in run["jobs"] if "gen3" in job["output"][0]]
    folder.made(2)
    run_records.begin({**run, "jobs": later})
    assert row(seen()[0], "tiny").split() == ["tiny", "2", "of", "3", "0", "of", "3"]


def test_lineages_without_jobs_and_what_is_shared_have_a_line(folder, changed):
    """A comparison's second run may find one of its lineages done; corpora are of all of them."""
    path = folder.begin()
    _, run = run_records.read_all()[0]
    resolved = run["resolved"]
    resolved["lineages"]["other"] = {**resolved["lineages"]["tiny"], "generations": 2}
    resolved["comparisons"] = {"both": ["tiny", "other"]}
    shared = {
        **run["jobs"][0],
        "wildcards": {"corpus": "own"},
        "output": ["results/corpora/own/x"],
        "after": [],
    }
    compared = {**shared, "wildcards": {"group": "both"}}
    for n in (1, 2):
        folder.write(f"results/other/gen{n}/checkpoint/config.json", "")
    jobs = [*run["jobs"], shared, compared]
    changed(path, resolved=resolved, targets=["both"], jobs=jobs)
    lines, _ = seen()
    assert row(lines, "other").split() == ["other", "2", "of", "2", "none"]
    assert row(lines, "both").split()[:4] == ["both", "0", "of", "1"]
    assert row(lines, "(shared)").split()[:4] == ["(shared)", "0", "of", "1"]


def test_names_and_targets_that_are_long_are_cut(folder):
    folder.begin(
        targets=["tiny", *(f"results/tiny/gen{n}/corpus/shard-00000.parquet" for n in range(9))]
    )
    assert seen()[0][0].endswith("…")


def test_the_program_says_what_its_codes_mean(tmp_path):
    program = [sys.executable, REPOSITORY / "workflow/scripts/status.py"]
    said = subprocess.run([*program, "--help"], capture_output=True, text=True)
    assert said.returncode == 0 and "exit code is 0 where all is done" in said.stdout
    missing = subprocess.run([*program, "-d", tmp_path / "x"], capture_output=True, text=True)
    assert missing.returncode == 2 and "No such file or directory" in missing.stderr
