"""docs/bad-input.md is true: each of its inputs is refused, in the words that stand there."""

import pytest
from bad_inputs import CASES, DOCS, message, row

# each starts a Snakemake of its own, for seconds: of most kinds one is enough in every run
STARTS = [case for case in CASES if case[0] == "Command line"]


def marked(case):
    """A parameter, slow where a case like it is not."""
    slow = case in STARTS and STARTS.index(case) % 3
    name = f"{case[0]}: {case[1]}"
    return pytest.param(case, id=name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("case", map(marked, CASES))
def test_the_message_is_the_one_in_the_table(case, tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    said = message(case, tmp_path)
    assert row(case[1], said) in DOCS.read_text().splitlines(), said
    assert "Traceback" not in said and len(said) < 700, said


def test_the_table_holds_nothing_else():
    rows = [line for line in DOCS.read_text().splitlines() if line.startswith("| ")]
    headings = len({case[0] for case in CASES})
    assert len(rows) - headings == len(CASES) == len({case[1] for case in CASES}) >= 60
