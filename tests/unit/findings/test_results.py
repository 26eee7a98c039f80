"""Measurements of lineages read from files, and losses compared story by story."""

import json

import numpy as np
import pyarrow as pa
import pytest

from ouroboros.findings.results import (
    Lineage,
    Missing,
    add_story_losses,
    loss_difference,
    read_measurements,
)
from ouroboros.storage.parquet import write_parquet


def stories(losses, lm="gen1"):
    sums = np.array(losses, float)
    return Lineage({lm: {"ppl-stories": (sums, np.full(len(sums), 2, np.int32))}})


def test_paired_losses_have_the_error_of_their_differences():
    """Stories that differ much, and an LM that is worse by about 1 nat of each story's 2 tokens."""
    rng = np.random.default_rng(1)
    first = 50 * rng.random(30)
    second = first + 1 + 0.1 * rng.standard_normal(30)
    found = loss_difference(stories(second), "gen1", stories(first), "gen1")
    differences = (second - first) / 2
    assert found.value == pytest.approx(differences.mean())
    assert found.error == pytest.approx(differences.std(ddof=1) / np.sqrt(30))
    assert found.error < first.std() / 100


def test_one_story_has_no_error():
    with pytest.raises(Missing, match="more than one story"):
        loss_difference(stories([1.0]), "gen1", stories([2.0]), "gen1")


@pytest.fixture
def artifact(tmp_path):
    """ppl.json of an LM; the function writes the losses of stories beside it."""
    path = tmp_path / "ppl.json"
    made = {"loss": 1.5, "provenance": {"lineage": "x", "generation": 2}}
    path.write_text(json.dumps(made))

    def write(sums):
        tokens = pa.array([1, 3], pa.int32())
        write_parquet(tmp_path / "ppl-stories.parquet", pa.table({"loss": sums, "tokens": tokens}))
        measured = read_measurements([path])
        add_story_losses(measured, [path])
        return measured["x"]["gen2"]

    return write


def test_losses_of_stories_are_read_from_beside(artifact):
    sums, tokens = artifact([2.0, 4.0])["ppl-stories"]
    assert sums.tolist() == [2, 4] and tokens.tolist() == [1, 3]


def test_losses_of_another_measurement_are_left_out(artifact):
    assert "ppl-stories" not in artifact([2.0, 4.1])
