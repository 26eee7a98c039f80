"""Each figure in docs/results can be drawn again from the table beside it."""

import subprocess
import sys

import pytest
from tools import REPOSITORY

PUBLISHED = sorted((REPOSITORY / "docs/results").glob("*/*.svg"))


@pytest.mark.parametrize("figure", PUBLISHED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_figure_is_made_again_by_its_command(figure, tmp_path):
    """It is named by the metric that it shows."""
    table, again = figure.with_name("results.csv"), tmp_path / figure.name
    script = REPOSITORY / "workflow/scripts/figure_of_table.py"
    subprocess.run([sys.executable, script, table, figure.stem, again], check=True)
    assert again.read_text() == figure.read_text()


def test_something_is_published():
    assert PUBLISHED
