"""Perplexity of a model on stories, by the paper's definition (section 5.2), exactly.

Token t of a story is predicted from the up to `context` tokens before it in the same story. A
context shorter than that begins with the end-of-text token, the empty context of training and
sampling, so that the first token of a story counts too. Beyond `context` tokens the window slides,
and every token has a forward pass of its own: positions begin anew in each window.
"""

import functools
import math

import numpy as np
import torch

from ouroboros.errors import UserError
from ouroboros.fitting import in_batches
from ouroboros.loss import token_losses
from ouroboros.model import GPTNeo
from ouroboros.progress import Progress


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


def story_losses(
    model: GPTNeo, stories: list[np.ndarray], end_of_text: int, context: int, batch: int
) -> list[np.ndarray]:
    """The loss in nats of every token of every story: float32 arrays, shaped like `stories`.

    `batch` is the number of sequences that pass through the model at once.
    """
    largest = max((int(story.max()) for story in stories if len(story)), default=0)
    if largest >= model.settings.vocabulary_size:
        raise UserError(
            f"The stories hold token {largest}, the model knows {model.settings.vocabulary_size} "
            "tokens: they come from another tokenizer. Measure with the tokenizer of the checkpoint."
        )
    losses = [np.empty(len(story), np.float32) for story in stories]
    work = []  # (input, targets, story, first position): all tokens of the input are scored ...
    windows = []  # ... or its last alone
    for index, story in enumerate(stories):
        head = story[:context]
        work.append((np.concatenate([[end_of_text], head[:-1]]), head, index, 0))
        for time in range(context, len(story)):
            windows.append((story[time - context : time], story[time : time + 1], index, time))
    # Longest first: batches of like length waste little on padding, and the largest comes first,
    # so that memory that is too small shows at once.
    work.sort(key=lambda item: -len(item[0]))
    progress = Progress("perplexity", sum(map(len, stories)), "tokens")
    with torch.inference_mode():
        for items in (work, windows):
            score = functools.partial(_score, model, items, losses, progress)
            for _ in in_batches(len(items), batch, score):
                pass
    progress.close()
    return losses


def _score(model, items, losses, progress, start, size):
    """Right-padded: a causal model never looks at the padding, and it is dropped before the head."""
    device = model.head.device
    items = items[start : start + size]
    longest = max(len(tokens) for tokens, *_ in items)
    ids = np.zeros((len(items), longest), np.int64)
    keep = np.zeros((len(items), longest), bool)
    for row, (tokens, targets, _, _) in enumerate(items):
        ids[row, : len(tokens)] = tokens
        keep[row, len(tokens) - len(targets) : len(tokens)] = True
    hidden = model.hidden(torch.from_numpy(ids).to(device))[torch.from_numpy(keep).to(device)]
    targets = np.concatenate([targets for _, targets, _, _ in items]).astype(np.int64)
    result = token_losses(hidden, model.head, torch.from_numpy(targets).to(device)).cpu().numpy()
    start = 0
    for _, targets, story, first in items:
        losses[story][first : first + len(targets)] = result[start : start + len(targets)]
        start += len(targets)
    progress.add(len(result))
