"""Whose lock is in a folder, by a /proc of our own."""

import os

import pytest

from ouroboros.preflight.snakemake_lock import describe_lock

PYTHON = "/venv/bin/python"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run/.snakemake/locks").mkdir(parents=True)
    (tmp_path / "run/.snakemake/log").mkdir()
    (tmp_path / "run/.snakemake/locks/0.output.lock").write_text("a")
    return tmp_path / "run"


@pytest.fixture
def processes(tmp_path):
    """This machine's processes; the test's own is the first."""
    (tmp_path / "proc").mkdir()
    process(tmp_path / "proc", os.getpid(), [PYTHON, "-m", "snakemake"], tmp_path / "run")
    return tmp_path / "proc"


def process(processes, number, words, cwd, opened=()):
    place = processes / str(number)
    (place / "fd").mkdir(parents=True)
    (place / "cmdline").write_text("\0".join(words) + "\0")
    (place / "cwd").symlink_to(cwd)
    (place / "stat").write_text(f"{number} (a) b) S 1 1")
    for index, path in enumerate(opened):
        (place / "fd" / str(index)).symlink_to(path)


def test_no_lock_no_word(folder, processes):
    (folder / ".snakemake/locks/0.output.lock").unlink()
    assert describe_lock(folder, processes) is None


@pytest.mark.parametrize(
    "words",
    [
        [PYTHON, "-m", "snakemake", "all"],
        [PYTHON, "/venv/bin/snakemake", "all"],
        [
            PYTHON,
            "-P",
            "/clone/workflow/scripts/snakemake_command.py",
            "all",
        ],  # .venv/bin/snakemake
    ],
)
def test_a_run_is_known_by_its_words(folder, processes, words):
    process(processes, 77, words, folder)
    process(processes, 78, words, folder.parent)
    assert f"Another snakemake runs in {folder} (process 77)" in describe_lock(folder, processes)


def test_a_program_that_calls_snakemake_is_known_by_its_log(folder, processes):
    log = folder / ".snakemake/log/1.snakemake.log"
    process(processes, 77, [PYTHON, "mine.py"], folder, ["/dev/null", log])
    process(processes, 78, ["tail", "-f", "1.snakemake.log"], folder, [log])
    assert "(process 77)" in describe_lock(folder, processes)


def test_a_job_whose_snakemake_was_killed_is_named(folder, processes):
    process(processes, 77, [PYTHON, f"{folder}/.snakemake/scripts/tmpx.train.py"], folder)
    said = describe_lock(folder, processes)
    assert "a job that it started does (process 77)" in said and "`kill 77`" in said
    process(processes, 79, [PYTHON, "-m", "snakemake"], folder)
    assert "(process 79)" in describe_lock(folder, processes)


def test_a_lock_left_behind(folder, processes):
    process(processes, 77, ["bash"], folder)
    assert "most likely the one that did was killed" in describe_lock(folder, processes)


def test_without_proc_no_lock_is_called_dead(folder, tmp_path):
    said = describe_lock(folder, tmp_path / "nothing")
    assert "cannot be told on this machine" in said and "was killed. Which" in said
    assert "most likely" not in said
