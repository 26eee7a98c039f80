"""Records of runs: which are kept, whose process is alive."""

import json
import os
import subprocess
import sys

import pytest

from ouroboros.pipeline import run_records

RESOLVED = {
    "lineages": {"a": {}, "a-s1": {}, "b": {}},
    "comparisons": {"both": ["a", "b"], "one": ["b"]},
}


def run(*targets, **changes):
    jobs = [{"wildcards": {"lineage": "a-s1"}}] if "plot" in targets else []
    return {"targets": [*targets], "resolved": RESOLVED, "jobs": jobs, **changes}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def targets():
    return [record["targets"] for _, record in run_records.read_all()]


def test_lineages_of_targets_and_jobs():
    assert run_records.lineages_of(["both"], RESOLVED) == ["a", "b"]
    assert run_records.lineages_of(["all"], RESOLVED) == ["a", "b"]
    assert run_records.lineages(run("a", "plot")) == {"a", "a-s1"}


def test_a_run_that_is_over_is_forgotten_by_the_next():
    run_records.end(run_records.begin(run("a")), run_records.DONE)
    assert targets() == [["a"]]
    run_records.begin(run("b"))
    assert targets() == [["b"]]


def test_runs_side_by_side_are_both_kept():
    first = run_records.begin(run("a"))
    second = run_records.begin(run("b", started=json.loads(first.read_text())["started"] + 1))
    assert targets() == [["a"], ["b"]]
    run_records.end(second, run_records.FAILED)
    assert [record["outcome"] for _, record in run_records.read_all()] == [None, "failed"]


def test_of_a_run_elsewhere_only_another_of_its_lineages_takes_the_place():
    run_records.begin(run("a", host="elsewhere", started=1.0))
    run_records.begin(run("b"))
    assert targets() == [["a"], ["b"]]
    run_records.begin(run("both"))
    assert targets() == [["b"], ["both"]]


def test_a_record_that_is_no_json_is_passed_over():
    run_records.begin(run("a"))
    (run_records.FOLDER / "2.json").write_text('{"started":')
    assert targets() == [["a"]]


def test_whether_its_process_is_alive():
    run_records.begin(run("a"))
    _, record = run_records.read_all()[0]
    assert run_records.is_alive(record) and record["pid"] == os.getpid()
    assert run_records.is_alive({**record, "host": "elsewhere"}) is None
    # its number was given to another process, since then
    assert run_records.is_alive({**record, "started": record["started"] - 1e6}) is False
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    child.stdout.read()  # until it has ended, without being waited for
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    dead = {**record, "pid": child.pid, "started": record["started"] + 100}
    assert run_records.is_alive(dead) is False
    child.wait()
    assert run_records.is_alive(dead) is False
