"""Settings that are fitted to a time, for the grammar and for text of your own, and run to their end.

How long the runs take is measured by benchmarks/fit.py: a test of time fails on a busy machine.
"""

import copy
import os
from pathlib import Path

import pytest
import yaml
from tools import TINY

TEXT = "OUROBOROS_TEXT"  # in the environment: a .jsonl file of stories


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("source", ["grammar", "text"])
def test_a_fitted_run_is_complete(workflow, source):
    """The quicker sibling is in test_planning.py: it measures nothing and runs nothing."""
    config = copy.deepcopy(TINY)
    if source == "grammar":
        config["corpora"]["own"] = {"source": "grammar", "stories": 600, "validation_stories": 50}
    elif TEXT not in os.environ:
        pytest.skip(f"{TEXT} names no file of stories")
    else:
        config["corpora"]["own"]["files"] = [str(Path(os.environ[TEXT]).resolve())]
    config["training"]["tiny"]["epochs"] = 1
    config["sampling"]["tiny"] = {"sequences": "auto", "sequence_length": 32}
    config["lineages"]["tiny"]["generations"] = 40
    config["plan"] = {"groups": ["tiny"], "fit": "2m"}
    workflow.configure(config)
    result = workflow.run("plan")
    assert result.returncode == 0, result.stdout[-3000:]
    proposed = yaml.safe_load((workflow.folder / "results/tiny/fit.yaml").read_text())
    assert proposed["lineages"]["tiny"]["generations"] < 40
    workflow.configure(proposed)
    result = workflow.run("tiny")
    assert result.returncode == 0, result.stdout[-3000:]
    last = f"results/tiny/gen{proposed['lineages']['tiny']['generations']}/ppl.json"
    assert (workflow.folder / last).is_file()
    assert "Nothing to be done" in workflow.run("tiny").stdout
