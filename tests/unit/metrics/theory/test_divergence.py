"""KL(p_0 || p_n) of stories whose probabilities are known, by its definition."""

import numpy as np
import pyarrow as pa
import pytest

from ouroboros.errors import DamagedArtifact
from ouroboros.metrics.theory.divergence import divergence
from ouroboros.storage.parquet import write_parquet

TRUE, MODEL = (
    np.array([0.5, 0.3, 0.15, 0.05]),
    np.array([0.25, 0.25, 0.25, 0.25]),
)  # of four stories
TOKENS = np.array([2, 3, 3, 4])


def files(folder, drawn):
    write_parquet(folder / "losses.parquet", pa.table({
        "loss": -np.log(MODEL[drawn]), "tokens": TOKENS[drawn].astype(np.int32),
    }))  # fmt: skip
    write_parquet(folder / "stories.parquet", pa.table({
        "text": [str(story) for story in drawn], "log_probability": np.log(TRUE[drawn]),
    }))  # fmt: skip
    return folder / "losses.parquet", folder / "stories.parquet"


def test_it_is_the_sum_over_all_stories(tmp_path):
    """Estimates of 300 samples of 400 stories: their mean is the divergence by its definition, their spread the stated error."""
    exact = (TRUE * np.log(TRUE / MODEL)).sum() / (TRUE * TOKENS).sum()
    rng = np.random.default_rng(0)
    found = np.array([divergence(*files(tmp_path, rng.choice(4, 400, p=TRUE))) for _ in range(300)])
    spread = found[:, 0].std(ddof=1)
    assert abs(found[:, 0].mean() - exact) < 3 * spread / 300**0.5
    assert found[:, 1].mean() == pytest.approx(spread, rel=0.15)


def test_losses_of_other_stories_are_refused(tmp_path):
    losses, _ = files(tmp_path, np.array([0, 1, 2]))
    (tmp_path / "other").mkdir()
    _, stories = files(tmp_path / "other", np.array([0, 1]))
    with pytest.raises(DamagedArtifact, match="it is of 3 stories, and .* of 2"):
        divergence(losses, stories)
