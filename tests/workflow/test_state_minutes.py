"""How often states are written is no setting of a result: nothing is run again for it."""

import pytest
from tools import TINY


def test_another_interval_reruns_nothing(lineage_copy):
    lineage_copy.configure({**TINY, "state_minutes": 3})
    result = lineage_copy.run("tiny", "--dry-run")
    assert "Nothing to be done" in result.stdout


@pytest.mark.parametrize("wrong", [-1, "often"])
def test_an_interval_that_is_none_is_refused(workflow, wrong):
    workflow.configure({**TINY, "state_minutes": wrong})
    result = workflow.run("tiny", "--dry-run")
    assert result.returncode != 0
    assert "state_minutes" in result.stdout
    assert "Traceback" not in result.stdout
