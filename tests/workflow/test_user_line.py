"""The command line that README shows, typed as it stands there, with the `snakemake` that `make` installs."""

import pytest
from tools import listed_jobs, run_line


def test_the_paper_dry_run(workflow):
    line = "snakemake --cores all --resources gpu=1 results/33m/gen40/ppl.json -n"
    result = run_line(line, workflow.folder)
    assert result.returncode == 0, result.stdout
    jobs = [job["rule"] for job in listed_jobs(result.stdout)]
    assert (jobs.count("train"), jobs.count("ppl")) == (39, 1)


def test_for_real_and_once_more(lineage_copy):
    """The fixture `finished` has run the lineage by such a line."""
    target = "results/tiny/gen1/ppl.json"
    line = f"snakemake --cores all --resources gpu=1 --configfile tiny.yaml {target}"
    assert "Nothing to be done" in run_line(line, lineage_copy.folder).stdout
    (lineage_copy.folder / target).unlink()
    again = run_line(line, lineage_copy.folder)
    assert again.returncode == 0, again.stdout[-3000:]
    assert (lineage_copy.folder / target).is_file()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("snakemake -n --resources gpu=1 dmo", "there is no such lineage, comparison or target"),
        ("snakemake -n --resources gpu demo", "expected NAME=INT, which 'gpu' is not"),
    ],
)
def test_a_mistake(workflow, line, said):
    result = run_line(line, workflow.folder)
    assert result.returncode and said in result.stdout
