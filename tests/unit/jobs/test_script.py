"""Messages of a job that ends badly: to the log, and on the terminal."""

import re
import time
from types import SimpleNamespace

import pytest
import torch

from ouroboros.errors import UserError
from ouroboros.jobs.script import run


def failing(error, tmp_path, capsys):
    """The messages of a job of the rule `sample` in which `error()` happens: terminal, log."""
    job = SimpleNamespace(log=[str(tmp_path / "job.log")], rule="sample")
    with pytest.raises(SystemExit, match="1"):
        run(lambda snakemake: error(), job)
    return capsys.readouterr().err, (tmp_path / "job.log").read_text()


def test_a_batch_that_does_not_fit_is_named_with_what_to_set(tmp_path, capsys):
    """Petabytes, which no machine has, asked for of torch itself."""
    for said in failing(lambda: torch.empty(10**15), tmp_path, capsys):
        assert "The memory is too small for this job" in said
        assert "Lower resources.sample.batch" in said
        assert "Traceback" not in said


def test_mistakes_of_the_user_are_a_paragraph(tmp_path, capsys):
    def mistake():
        raise UserError("The corpus is empty.")

    said, logged = failing(mistake, tmp_path, capsys)
    assert said == "\nerror: The corpus is empty.\n\n"
    assert logged.endswith("error: The corpus is empty.\n")


def test_the_log_of_a_job_has_the_cpu_seconds_of_its_start_and_of_its_work(tmp_path):
    def work(snakemake):
        began = time.process_time()
        while time.process_time() - began < 0.5:
            sum(range(1000))

    job = SimpleNamespace(log=[str(tmp_path / "job.log")], rule="sample", input=[])
    run(work, job)
    found = re.search(
        r"CPU seconds: ([\d.]+) to start, ([\d.]+) at work\.", (tmp_path / "job.log").read_text()
    )
    assert float(found[1]) > 0.5 <= float(found[2])  # torch is imported, and more
