"""Perplexity and its standard error from the losses of stories."""

import math

import numpy as np


def perplexity(losses: list[np.ndarray]) -> dict:
    """Figures of `story_losses`: perplexity, mean loss and its standard error over stories.

    The standard error is that of a ratio (summed loss over tokens) with stories as the sampled
    units, since the tokens of one story are not independent.
    """
    sums = np.array([story.sum(dtype=np.float64) for story in losses])
    lengths = np.array([len(story) for story in losses])
    tokens = int(lengths.sum())
    loss = sums.sum() / tokens
    count = len(losses)
    spread = ((sums - loss * lengths) ** 2).sum() * count / max(count - 1, 1)
    return {
        "perplexity": math.exp(min(loss, 700.0)),
        "loss": float(loss),
        "standard_error": math.sqrt(spread) / tokens if count > 1 else None,
        "tokens": tokens,
        "stories": count,
    }
