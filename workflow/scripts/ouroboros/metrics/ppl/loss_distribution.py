"""The distribution of an LM's token losses, of which perplexity shows the mean alone.

Over generations a collapse grows tails: most tokens are predicted better and better, some hardly at
all (Shumailov et al. 2024, "AI models collapse when trained on recursively generated data", figure
1 c, d, show it in histograms over sequences; here every token of the validation set counts once).
"""

import numpy as np

QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999)
# Of the histogram's bins, in nats; the same for every LM, so that generations compare. A uniform guess
# among GPT-2's 50,257 tokens loses 10.8; the last bin takes everything from 24 nats (p = 4e-11) on.
EDGES = np.arange(0, 24.25, 0.25)


def loss_distribution(losses: list[np.ndarray]) -> dict:
    """Quantiles and histogram of token losses in nats, as plain numbers that JSON can hold.

    `losses`: a float32 array per story, as `story_losses` returns them, with one token at least.
    """
    every = np.concatenate(losses)
    return {"loss_quantiles": loss_quantiles(every), "loss_histogram": loss_histogram(every)}


def loss_quantiles(losses: np.ndarray) -> dict:
    """Quantile q -> the smallest loss that a share q of the tokens does not exceed; and `max`.

    `losses`: (tokens,), nats.
    """
    found = np.quantile(losses, QUANTILES, method="inverted_cdf").tolist()
    return {**dict(zip(map(str, QUANTILES), found, strict=True)), "max": float(losses.max())}


def loss_histogram(losses: np.ndarray) -> dict:
    """`counts[i]` tokens lose `edges[i]` or more and less than `edges[i + 1]`; the last bin is open.

    `losses`: (tokens,), nats. Losses below 0, by rounding, are in the first bin.
    """
    bins = np.searchsorted(EDGES, np.maximum(losses, 0), side="right") - 1
    return {"edges": EDGES.tolist(), "counts": np.bincount(bins, minlength=len(EDGES)).tolist()}
