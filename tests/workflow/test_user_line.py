"""The command line that README shows, typed as it stands there, with the `snakemake` that `make` installs."""

import subprocess
import sys
from pathlib import Path

import pytest
from tools import listed_jobs

SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def typed(line, folder):
    return subprocess.run(
        [SNAKEMAKE, *line.split()[1:]], cwd=folder, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_the_paper_dry_run(workflow):
    line = "snakemake --cores all --resources gpu=1 results/33m/gen40/ppl.json -n"
    result = typed(line, workflow.folder)
    assert result.returncode == 0, result.stdout
    jobs = [job["rule"] for job in listed_jobs(result.stdout)]
    assert (jobs.count("train"), jobs.count("ppl")) == (39, 1)


def test_for_real_and_once_more(workflow):
    line = (
        "snakemake --cores all --resources gpu=1 --configfile tiny.yaml results/tiny/gen1/ppl.json"
    )
    first = typed(line, workflow.folder)
    assert first.returncode == 0, first.stdout[-3000:]
    assert (workflow.folder / "results/tiny/gen1/ppl.json").is_file()
    assert "Nothing to be done" in typed(line, workflow.folder).stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("snakemake -n --resources gpu=1 dmo", "there is no such lineage, comparison or target"),
        ("snakemake -n --resources gpu demo", "expected NAME=INT, which 'gpu' is not"),
    ],
)
def test_a_mistake(workflow, line, said):
    result = typed(line, workflow.folder)
    assert result.returncode and said in result.stdout
