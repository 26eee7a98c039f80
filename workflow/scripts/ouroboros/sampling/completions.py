"""An LM's completions of given beginnings of stories (paper 5.3.3, step 1).

They are drawn from the full distribution: `temperature`, a setting of corpora, does not apply. A
beginning follows the end-of-text token, as every story does in training, and is encoded without
surrounding spaces, as the judge reads it. Completion c of beginning p has a random stream of its own,
so that neither batches nor the number of completions change what is drawn.
"""

import itertools

import numpy as np

from ouroboros.data.tokenizer import encode_texts
from ouroboros.errors import UserError
from ouroboros.jobs.batch_size import in_batches
from ouroboros.jobs.progress import Progress
from ouroboros.randomness import uniforms
from ouroboros.sampling.sampler import DRAWN, Sampler, fitting_batch


def complete(
    model, tokenizer, end_of_text: int, prompts: list[str], completions: int, new_tokens: int,
    key: int, batch: int | str = "auto",
) -> list[dict]:  # fmt: skip
    """`completions` of every prompt, of up to `new_tokens` tokens drawn from the full distribution.

    Per prompt `beginning` and `completions`, each with its `text` and whether the LM `ended` it by
    the end-of-text token, which is not part of the text. `batch` is the number sampled at once.
    """
    prompts = [prompt.strip() for prompt in prompts]
    given = [np.array(encoding.ids) for encoding in encode_texts(tokenizer, prompts)]
    length = max(map(len, given)) + new_tokens
    if length > model.positions:
        raise UserError(
            f"The longest prompt has {length - new_tokens} tokens and {new_tokens} new ones were asked "
            f"for, but the model has {model.positions} positions. Lower `new_tokens` of the "
            "evaluation, or shorten the prompts."
        )
    rows = [(prompt, copy) for prompt in range(len(prompts)) for copy in range(completions)]
    if batch == "auto":
        batch = fitting_batch(model, length, len(rows))
    progress = Progress("completions", len(rows) * length, "tokens")
    samplers = {}

    def attempt(start, size):
        if size not in samplers:
            samplers.clear()  # frees its memory for the next one
            samplers[size] = Sampler(model, size, length, end_of_text)
        part = rows[start : start + size]
        draws = uniforms(key, [prompt << 32 | copy for prompt, copy in part], new_tokens)
        before = [given[prompt] for prompt, _ in part]
        return _complete(samplers[size], before, draws, length, progress)

    stories = [{"beginning": prompt, "completions": []} for prompt in prompts]
    drawn = itertools.chain.from_iterable(in_batches(len(rows), min(batch, len(rows)), attempt))
    for (prompt, _), tokens in zip(rows, drawn, strict=True):
        stories[prompt]["completions"].append(_completion(tokens, tokenizer, end_of_text))
    progress.close()
    return stories


def _complete(sampler, given: list[np.ndarray], draws: np.ndarray, length, progress):
    """New tokens (rows, new) that follow the `given` ones (an array per row), from uniforms (rows, new)."""
    lengths, new = [len(tokens) for tokens in given], draws.shape[1]
    before, ahead = np.full((len(given), length), DRAWN), np.zeros((len(given), length))
    for row, tokens in enumerate(given):
        before[row, : len(tokens)] = tokens
        ahead[row, len(tokens) : len(tokens) + new] = draws[row]
    tokens = sampler.sample(ahead, progress, before)
    return [row[start : start + new] for row, start in zip(tokens, lengths, strict=True)]


def _completion(tokens, tokenizer, end_of_text):
    ends = np.flatnonzero(tokens == end_of_text)
    kept = tokens[: ends[0]] if len(ends) else tokens
    text = tokenizer.decode(kept.tolist(), skip_special_tokens=False)
    return {"text": text, "ended": bool(len(ends))}
