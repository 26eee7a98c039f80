"""Free sampling of a generation's corpus from the empty context (paper 5.1.2, Algorithm 1).

Sequence i of a generation has a random stream of its own (`randomness.uniforms`): which sequences
are sampled together, and in how many shards, changes nothing in what is drawn.
"""

from collections.abc import Iterator

import numpy as np
import torch

from ouroboros.corpus import TOKEN
from ouroboros.decode import Decoder
from ouroboros.draw import Head
from ouroboros.model import GPTNeo
from ouroboros.progress import Progress
from ouroboros.randomness import uniforms


def sample(
    model: GPTNeo, key: int, indices: range, length: int, end_of_text: int, batch: int,
    temperature: float = 1.0,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Sequences `indices` of the corpus whose streams belong to `key`: uint16 (rows, length).

    The empty context is the end-of-text token at position 0; tokens are drawn from the full
    distribution and a sampled end-of-text is followed by the next story, up to `length` tokens.
    """
    progress = Progress("sample", len(indices) * length, "tokens")
    sampler = Sampler(model, min(batch, len(indices)), length, end_of_text, temperature)
    for start in range(0, len(indices), batch):
        yield sampler.sample(uniforms(key, indices[start : start + batch], length), progress)
    progress.close()


class Sampler:
    """Buffers for `rows` sequences at a time, filled again and again."""

    @torch.inference_mode()
    def __init__(self, model, rows, length, end_of_text, temperature):
        device = model.head.device
        self.end_of_text, self.temperature = end_of_text, temperature
        self.head = Head(model.head)
        self.decoder = Decoder(model, rows, length)
        self.draws = torch.zeros(length, rows, dtype=torch.float64, device=device)
        self.tokens = torch.zeros(length, rows, dtype=torch.int64, device=device)
        self.clock = torch.zeros(1, dtype=torch.int64, device=device)

    @torch.inference_mode()
    def sample(self, draws: np.ndarray, progress) -> np.ndarray:
        """Uniforms (rows, length) -> tokens uint16 (rows, length); rows may be fewer than prepared."""
        rows = len(draws)
        self.draws[:, :rows] = torch.from_numpy(draws.T)
        latest = torch.full_like(self.tokens[0], self.end_of_text)
        for time in range(len(self.tokens)):
            self.clock.fill_(time)
            latest = self.step(latest, time)
            self.tokens[time] = latest
            progress.add(rows)
        return self.tokens[:, :rows].T.cpu().numpy().astype(TOKEN)

    def step(self, latest, time):
        hidden = self.decoder.step(latest, time, self.clock)
        if self.temperature != 1.0:
            hidden = hidden / self.temperature
        return self.head.draw(hidden, self.draws[time])
