"""The loss of every token of stories, as the paper's perplexity (section 5.2) defines it, exactly.

Token t of a story is predicted from the up to `context` tokens before it in the same story. A
shorter context begins with the end-of-text token, the empty context of training and sampling, so
that the first token of a story counts too. Beyond `context` tokens the window slides, and every
token has a forward pass of its own: positions start at 0 in each window.
"""

import functools

import numpy as np
import torch

from ouroboros.errors import UserError
from ouroboros.jobs.batch_size import in_batches
from ouroboros.jobs.progress import Progress
from ouroboros.model.families import LanguageModel


def story_losses(
    model: LanguageModel, stories: list[np.ndarray], end_of_text: int, context: int, batch: int
) -> list[np.ndarray]:
    """The loss in nats of every token of every story: float32 arrays, shaped like `stories`.

    `batch` is the number of sequences that pass through the model at once.
    """
    largest = max((int(story.max()) for story in stories if len(story)), default=0)
    if largest >= model.vocabulary_size:
        raise UserError(
            f"The stories hold token {largest}, the model knows {model.vocabulary_size} "
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
    # Longest first: batches of similar length need little padding, and if the memory is too small,
    # the first batch shows it.
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
    """Score a batch, padded on the right: a causal model ignores the padding, and the head skips it."""
    device = model.head.device
    items = items[start : start + size]
    longest = max(len(tokens) for tokens, *_ in items)
    ids = np.zeros((len(items), longest), np.int64)
    keep = np.zeros((len(items), longest), bool)
    for row, (tokens, targets, _, _) in enumerate(items):
        ids[row, : len(tokens)] = tokens
        keep[row, len(tokens) - len(targets) : len(tokens)] = True
    targets = np.concatenate([targets for _, targets, _, _ in items]).astype(np.int64)
    result = model.losses(*(torch.from_numpy(part).to(device) for part in (ids, keep, targets)))
    result = result.cpu().numpy()
    start = 0
    for _, targets, story, first in items:
        losses[story][first : first + len(targets)] = result[start : start + len(targets)]
        start += len(targets)
    progress.add(len(result))


def mean_loss(losses: list[np.ndarray]) -> float:
    """Mean loss in nats over all tokens of the result of `story_losses`."""
    sums = np.array([story.sum(dtype=np.float64) for story in losses])
    return float(sums.sum() / sum(map(len, losses)))
