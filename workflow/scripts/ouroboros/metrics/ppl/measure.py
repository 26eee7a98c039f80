"""Measure the perplexity of an LM."""

from ouroboros.data.tokenise import read_token_stories
from ouroboros.metrics.ppl.loss_distribution import loss_distribution
from ouroboros.metrics.ppl.perplexity import perplexity
from ouroboros.model.checkpoint import read_lm
from ouroboros.model.scoring import story_losses


def measure(inputs, settings, device, batch) -> dict:
    """The contents of ppl.json; `batch`: stories scored at once."""
    model, end_of_text = read_lm(inputs.checkpoint)
    model.to(device)
    stories = read_token_stories(inputs.validation)
    losses = story_losses(model, stories, end_of_text, settings["context"], batch)
    return {**perplexity(losses), **loss_distribution(losses)}
