"""Perplexity and its standard error from the losses of stories."""

import math

import numpy as np

from ouroboros.metrics.ppl.ratio import ratio


def perplexity(losses: list[np.ndarray]) -> dict:
    """Perplexity, the mean loss in nats, and its standard error with stories as the sampled units.

    `losses`: an array per story, as `story_losses` returns them.
    """
    sums = np.array([story.sum(dtype=np.float64) for story in losses])
    lengths = np.array([len(story) for story in losses])
    loss, error = ratio(sums, lengths)
    return {
        "perplexity": math.exp(min(loss, 700.0)),
        "loss": loss,
        "standard_error": error,
        "tokens": int(lengths.sum()),
        "stories": len(losses),
    }
