"""Each figure in docs/results can be drawn again from the table beside it."""

import figure_of_table
import pytest
from tools import REPOSITORY

PUBLISHED = sorted((REPOSITORY / "docs/results").glob("*/*.svg"))


@pytest.mark.parametrize("figure", PUBLISHED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_figure_is_made_again_by_its_command(figure, tmp_path, monkeypatch):
    """It is named by the metric that it shows."""
    table, again = figure.with_name("results.csv"), tmp_path / figure.name
    command = ["figure_of_table.py", str(table), figure.stem, str(again)]
    monkeypatch.setattr("sys.argv", command)
    figure_of_table.main()
    assert again.read_text() == figure.read_text()


def test_something_is_published():
    assert PUBLISHED
