"""Batches that a killed sampling job has left: taken up to the first gap, and nothing after it."""

import numpy as np
import pytest

from ouroboros.errors import UserError
from ouroboros.jobs.snapshots import States
from ouroboros.sampling.sampled_batches import SampledBatches

ROWS = np.arange(60, dtype=np.uint16).reshape(12, 5)  # what an undisturbed job samples


@pytest.fixture
def states(tmp_path):
    return States(tmp_path / "shard.state", "d")


def life(states, batch, count=99):
    """A process that samples up to `count` batches: what it found, and all that is there at its end."""
    batches = SampledBatches(states)
    found = batches.count, batches.rows, batches.batch
    for start in list(range(batches.rows, len(ROWS), batch))[:count]:
        batches.add(ROWS[start : start + batch], batch)
    return found, np.concatenate([*batches])


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("how", ["removed", "damaged"])
def test_batches_after_a_lost_one_are_not_used(states, lost, how):
    life(states, 4)
    if how == "removed":
        states.path(lost).unlink()
    else:
        states.path(lost).write_bytes(states.path(lost).read_bytes()[:-3])
    # One batch of another size, then killed again: what came after the lost one has no place now.
    found, rows = life(states, 2, count=1)
    assert found == (lost, 4 * lost, 4 if lost else None)
    assert states.numbers() == [*range(lost + 1)]
    assert np.array_equal(rows, ROWS[: 4 * lost + 2])
    found, rows = life(states, 3)
    assert found == (lost + 1, 4 * lost + 2, 2)
    assert np.array_equal(rows, ROWS)


def test_batches_of_other_settings_are_not_used(states):
    life(states, 4)
    other = States(states.folder, "other")
    assert life(other, 5, count=1)[0] == (0, 0, None)
    assert other.numbers() == [0]


def test_a_batch_that_is_gone_when_the_corpus_is_written_is_an_error(states):
    life(states, 4)
    batches = SampledBatches(states)
    states.path(1).unlink()
    with pytest.raises(UserError, match=r"000001.safetensors.* cannot be read back"):
        list(batches)
