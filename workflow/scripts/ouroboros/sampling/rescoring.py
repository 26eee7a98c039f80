"""A check of what was sampled: do its tokens follow the distribution that the model has in float32?

Given the tokens before it, log p of a drawn token plus the distribution's entropy has a mean of zero,
whatever the model. A wrong ring of keys, a CUDA graph that reads an old address, products that round
too much: all of them move it.
"""

import math

import numpy as np
import torch

from ouroboros.errors import UserError
from ouroboros.model.exact_draw import products
from ouroboros.model.families import LanguageModel

# Of a batch. At the paper's length they are 38,400 tokens; where log p has a spread of 2 nats, as that of
# stories has, a temperature of 1.02 in place of 1 is 8 standard errors away.
SEQUENCES = 64
BOUND = 6.0  # standard errors; of right samples 2 in 1,000,000,000 are further away
TOGETHER = 8  # sequences scored at once
ROWS = 256  # rows of logits alive at once


@torch.inference_mode()
def departure(
    model: LanguageModel, sequences: np.ndarray, end_of_text: int, temperature: float = 1.0
) -> float:
    """The sum of log p(token) + entropy over all tokens, in standard errors; its mean is 0.

    `sequences` (rows, length): tokens drawn from the full distribution at `temperature`, after the
    empty context. The variance is the sum of each distribution's own, since the tokens before a token
    decide what it is drawn from.
    """
    total = variance = 0.0
    for start in range(0, len(sequences), TOGETHER):
        tokens = torch.from_numpy(sequences[start : start + TOGETHER].astype(np.int64))
        tokens = tokens.to(model.head.device)
        inputs = torch.cat([torch.full_like(tokens[:, :1], end_of_text), tokens[:, :-1]], 1)
        hidden, tokens = model.hidden(inputs).flatten(0, 1), tokens.flatten()
        for part, drawn in zip(hidden.split(ROWS), tokens.split(ROWS), strict=True):
            logs = (products(part, model.head) / temperature).log_softmax(1)
            weights = logs.exp()
            mean = (weights * logs).sum(1)
            chosen = logs.gather(1, drawn[:, None]).squeeze(1)
            total += (chosen - mean).double().sum().item()
            variance += ((weights * logs * logs).sum(1) - mean * mean).double().sum().item()
    return total / math.sqrt(variance) if variance > 0 else 0.0


def check_sampled(
    model: LanguageModel, sequences: np.ndarray, end_of_text: int, temperature: float = 1.0
):
    """Raise UserError unless the first sequences of a batch follow the model's distribution."""
    first = sequences[:SEQUENCES]
    away = departure(model, first, end_of_text, temperature)
    if not abs(away) <= BOUND:
        raise UserError(
            f"What this job has sampled does not follow its model: over {first.size:,} tokens log p(token) + entropy, "
            f"whose mean is 0, lies {away:.1f} standard errors away. So this GPU, its driver or this "
            "build of torch computes wrongly, and the batch is not kept. Sample on another GPU, or on the CPU: "
            "`--resources gpu=0`."
        )
