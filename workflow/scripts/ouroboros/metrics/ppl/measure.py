"""Measure the perplexity of an LM."""

import numpy as np
import pyarrow as pa

from ouroboros.data.tokenise import read_token_stories
from ouroboros.metrics.ppl.loss_distribution import loss_distribution
from ouroboros.metrics.ppl.perplexity import perplexity
from ouroboros.model.checkpoint import read_lm
from ouroboros.model.scoring import story_losses


def measure(inputs, settings, device, batch) -> tuple[dict, pa.Table]:
    """The contents of ppl.json, and the losses of stories; `batch`: stories scored at once."""
    model, end_of_text = read_lm(inputs.checkpoint)
    model.to(device)
    stories = read_token_stories(inputs.validation)
    losses = story_losses(model, stories, end_of_text, settings["context"], batch)
    return {**perplexity(losses), **loss_distribution(losses)}, story_table(losses)


def story_table(losses: list[np.ndarray]) -> pa.Table:
    """A row per story, in the order of the validation set: `loss`, the sum over its tokens in nats, and
    its `tokens`. Two LMs measured on the same stories are compared story by story (see findings).

    `losses`: an array per story, as `story_losses` returns them.
    """
    sums = np.array([story.sum(dtype=np.float64) for story in losses])
    return pa.table({"loss": sums, "tokens": np.array([len(story) for story in losses], np.int32)})
