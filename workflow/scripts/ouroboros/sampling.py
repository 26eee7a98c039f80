"""Free sampling of a generation's corpus from the empty context (paper 5.1.2, Algorithm 1).

Sequence i of a generation has a random stream of its own (`randomness.uniforms`): which sequences
are sampled together, and in how many shards, changes nothing in what is drawn.
"""

from collections.abc import Iterator

import numpy as np
import torch

from ouroboros.corpus import TOKEN
from ouroboros.draw import draw
from ouroboros.model import GPTNeo
from ouroboros.progress import Progress
from ouroboros.randomness import uniforms

ROWS = 256  # rows of logits alive at once


@torch.inference_mode()
def sample(
    model: GPTNeo, key: int, indices: range, length: int, end_of_text: int, batch: int,
    temperature: float = 1.0,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Sequences `indices` of the corpus whose streams belong to `key`: uint16 (rows, length).

    The empty context is the end-of-text token at position 0; tokens are drawn from the full
    distribution and a sampled end-of-text is followed by the next story, up to `length` tokens.
    """
    progress = Progress("sample", len(indices) * length, "tokens")
    for start in range(0, len(indices), batch):
        part = indices[start : start + batch]
        draws = torch.from_numpy(uniforms(key, part, length).T.copy()).to(model.head.device)
        yield _sample_batch(model, draws, end_of_text, temperature, progress)
    progress.close()


def _sample_batch(model, draws, end_of_text, temperature, progress):
    """draws: float64 (length, rows)."""
    length, rows = draws.shape
    caches = model.caches(rows, length)
    tokens = torch.empty(length, rows, dtype=torch.int64, device=draws.device)
    latest = torch.full((rows,), end_of_text, device=draws.device)
    for time in range(length):
        hidden = model.step(latest, caches, time)
        for start in range(0, rows, ROWS):
            part = slice(start, start + ROWS)
            logits = (hidden[part] @ model.head.T).float()
            if temperature != 1.0:
                logits /= temperature
            tokens[time, part] = draw(logits, draws[time, part])
        latest = tokens[time]
        progress.add(rows)
    return tokens.T.cpu().numpy().astype(TOKEN)
