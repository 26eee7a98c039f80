"""Questions to SLURM, and how its answers are read; with a SLURM: tests/slurm."""

import math

import pytest

from ouroboros.errors import UserError
from ouroboros.preflight import slurm


def test_a_gpu_is_asked_for_by_model_and_none_where_a_job_wants_none():
    asked = {"gpu": 2, "gpu_model": "a100", "mem_mb": 500, "runtime": 60, "slurm_account": "me"}
    assert slurm.sbatch_flags(asked, threads=4) == (
        "--account=me", "--gpus=a100:2", "--mem=500", "--time=60", "--cpus-per-task=4",
    )  # fmt: skip
    assert slurm.sbatch_flags({"gpu": 2}, 1) == ("--gpus=2", "--cpus-per-task=1")
    assert slurm.sbatch_flags({"gpu": 0, "gpu_model": "a100"}, 1) == ("--cpus-per-task=1",)


@pytest.mark.parametrize(
    "limit, minutes",
    [("infinite", math.inf), ("30:00", 30), ("2:30:00", 150), ("7-00:00:00", 10080), ("1-02:03:04", 1563)],
)  # fmt: skip
def test_time_limits_are_read(limit, minutes):
    assert slurm._minutes(limit) == minutes


def answers(folder, monkeypatch, name, text, code=0):
    """A command of SLURM's that always answers this."""
    script = folder / name
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_more_time_than_the_default_partition_gives_is_refused(tmp_path, monkeypatch):
    answers(tmp_path, monkeypatch, "sinfo", "cpu* 1:00:00\ngpu infinite")
    slurm.check_time_limit("train", None, 60)
    slurm.check_time_limit("train", "gpu", 10**6)
    with pytest.raises(UserError, match="cpu gives 60 at most.*Set `max_runtime: 60`"):
        slurm.check_time_limit("train", None, 61)


def test_jobs_of_an_earlier_run_are_those_of_this_folder(tmp_path, monkeypatch):
    answers(tmp_path, monkeypatch, "squeue", f"7|{tmp_path}\n8|/elsewhere\n9_2|{tmp_path}")
    with pytest.raises(UserError, match="2 SLURM jobs.*scancel 7 9_2"):
        slurm.check_no_jobs(tmp_path)
    slurm.check_no_jobs(tmp_path / "other")


def test_without_slurm_the_message_says_where_the_profile_works(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="login node"):
        slurm.check_no_jobs(tmp_path)
