"""A folder as a run of three generations of `tiny` leaves it at some moment, without running anything."""

import json
import os
import subprocess
import time

import pytest
from tools import CONFIG, SCHEMA, TINY

from ouroboros.config.resolve import resolve
from ouroboros.pipeline import paths, run_records

NOW = float(int(time.time()))  # in these tests, in which no time passes
BEGAN = NOW - 100  # when their runs began


class Folder:
    """The folder, in which the test is, too."""

    def __init__(self, path):
        self.path = path
        config = {key: CONFIG.get(key, {}) | value for key, value in TINY.items()}
        self.resolved = resolve({**CONFIG, **config}, SCHEMA)
        self.log = path / ".snakemake/log/1.snakemake.log"
        self.write(self.log, "")

    def begin(self, generations=3, **changes):
        """Record a run of training and sampling that began 100 s ago."""
        jobs = []
        for n in range(1, generations + 1):
            before = len(jobs)
            checkpoint = paths.CHECKPOINT.format(lineage="tiny", lm=f"gen{n}")
            rule = "train" if n > 1 else "train_first"
            jobs.append(self.job(rule, n, checkpoint, "train", [before - 1, before - 2] * (n > 1)))
            for shard in range(2):
                output = paths.shard("tiny", f"gen{n}", shard)
                jobs.append(self.job("sample", n, output, f"sample-0000{shard}", [before]))
        run = {
            "targets": ["tiny"], "executor": "local", "cores": 2, "gpus": 1,
            "snakemake_log": str(self.log), "resolved": self.resolved, "jobs": jobs,
        }  # fmt: skip
        return run_records.begin({**run, "started": BEGAN, **changes})

    def job(self, rule, n, output, log, after):
        return {
            "rule": rule, "wildcards": {"lineage": "tiny"}, "input": [], "output": [output],
            "log": f"logs/tiny/gen{n}/{log}.log", "threads": 1, "gpus": 0, "after": after,
        }  # fmt: skip

    def made(self, n, seconds=None):
        """Generation n is trained and sampled; `seconds` that each job took, for its .tsv."""
        for output in (
            "checkpoint/config.json",
            *(f"corpus/shard-0000{k}.parquet" for k in range(2)),
        ):
            self.write(f"results/tiny/gen{n}/{output}", "")
        for job in ("train", "sample-00000", "sample-00001") if seconds else ():
            self.write(f"logs/tiny/gen{n}/{job}.tsv", f"s\th:m:s\n{seconds}\t0:00:00\n")

    def event(self, heading, log, ago=10):
        """A paragraph of Snakemake's log: a job that starts (`rule train:`), or an error."""
        date = time.asctime(time.localtime(time.time() - ago))
        mark = " (check log file(s) for error details)" * heading.startswith("Error")
        with self.log.open("a") as file:
            file.write(f"[{date}]\n{heading}\n    log: logs/tiny/{log}.log{mark}\n    jobid: 1\n")

    def write(self, path, text, ago=0.0):
        path = self.path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time.time() - ago,) * 2)

    def lock(self):
        self.write(".snakemake/locks/0.output.lock", "results/tiny")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.time", lambda: NOW)
    # the process of the runs is this one, as if it were older than they
    monkeypatch.setattr("psutil.Process.create_time", lambda process: 0.0)
    return Folder(tmp_path)


@pytest.fixture
def gone():
    """The number of a process that is over."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def changed():
    def change(path, **changes):
        """Change a record that was written."""
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change
