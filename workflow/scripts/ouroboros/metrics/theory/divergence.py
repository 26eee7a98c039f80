"""The distance that the paper only bounds: KL(p_0 || p_n) over whole stories, where the grammar knows p_0."""

import numpy as np

from ouroboros.data.sources import read_stories
from ouroboros.errors import DamagedArtifact
from ouroboros.metrics.ppl.ratio import ratio
from ouroboros.storage.parquet import read_parquet


def divergence(losses, stories) -> tuple[float, float | None]:
    """KL(p_0 || p_n) in nats per token, and its standard error with stories, drawn from p_0, as the sampled units.

    `losses`: the file of an LM's losses on the validation stories; `stories`: the file of these with
    their true log-probabilities. The LM's probability of a story is that of its canonical tokenisation, one
    of several that make the same text, so this is an upper bound.
    """
    measured = read_parquet(losses).read()
    true = [log for _, logs in read_stories(stories) for log in logs]
    if len(true) != len(measured):
        raise DamagedArtifact(
            losses, f"it is of {len(measured)} stories, and {stories} of {len(true)}"
        )
    return ratio(measured["loss"].to_numpy() + np.array(true), measured["tokens"].to_numpy())
