"""Sampling as the authors' published code does it (the regime `published`).

Its empty context is token 0 under a mask: the first token is drawn from the state of token 0 alone, and no later
token attends to it, though positions go on from there. A row ends at its first end-of-text, and the rest of it is
end-of-text too.
"""

import numpy as np

from ouroboros.model.decoding import Decoding
from ouroboros.model.families import LanguageModel
from ouroboros.sampling.sampler import FULL, Sampler

START = 0  # the token that stands for the empty context


class PublishedSampler:
    """Samples up to `rows` sequences at a time; stands for a `Sampler`."""

    def __init__(
        self,
        model: LanguageModel,
        rows: int,
        length: int,
        end_of_text: int,
        decoding: Decoding = FULL,
    ):
        self.end_of_text = end_of_text
        self.first = Sampler(model, rows, 1, START, decoding)
        self.rest = Sampler(model.from_second_position(), rows, length - 1, START, decoding)

    def sample(self, draws: np.ndarray, progress, meanwhile=None) -> np.ndarray:
        """Tokens (rows, length) from uniforms (rows, length); `meanwhile` as of `Sampler.sample`."""
        first = self.first.sample(draws[:, :1], progress)
        rest = self.rest.sample(draws[:, 1:], progress, context=first[:, 0], meanwhile=meanwhile)
        tokens = np.concatenate([first, rest], axis=1)
        ended = np.cumsum(tokens == self.end_of_text, axis=1) > 0
        tokens[ended] = self.end_of_text
        return tokens
