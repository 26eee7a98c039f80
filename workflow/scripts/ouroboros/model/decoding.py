"""Decoding: how a model's distribution of the next token is changed before a token is drawn from it.

The order of the steps is that of transformers' `generate`: repetition penalty, temperature, top-k, top-p,
min-p, typical.
"""

from dataclasses import dataclass

import torch

from ouroboros.kernels import cpu

FEW = 64  # tokens that are sorted at first: most distributions have their mass in fewer


@dataclass(frozen=True)
class Decoding:
    """Keys of `sampling` that change what is drawn; as they are here, only the temperature does, and 1 does not."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0

    @property
    def full(self) -> bool:
        """True where tokens are drawn from the full distribution, at a temperature."""
        return self == Decoding(self.temperature)

    def draw(
        self, logits: torch.Tensor, tokens: torch.Tensor, uniforms: torch.Tensor
    ) -> torch.Tensor:
        """One token per row by the C++ kernel: logits (rows, vocabulary), already divided by the temperature.

        `tokens`, int64 (time, rows), are those of each row so far; uniforms float64 (rows,). Returns int64 (rows,).
        """
        drawn = torch.empty(len(logits), dtype=torch.int64)
        sizes = *logits.shape, len(tokens)
        cpu.call("decoded_draw", self.numbers(), logits, tokens, uniforms, drawn, *sizes)
        return drawn

    def numbers(self) -> torch.Tensor:
        """The settings as the kernels read them (kernels/cpu/decoding.h): float64 (5,)."""
        steps = self.top_k or 0, self.top_p, self.min_p, self.typical_p, self.repetition_penalty
        return torch.tensor(steps, dtype=torch.float64)

    def logits(self, logits: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (rows, vocabulary) after all steps, float32: -inf where a token is never drawn.

        `seen`, boolean of that shape: the tokens that occur in a row, for the repetition penalty.
        """
        if self.repetition_penalty != 1:
            # Keskar et al. 2019: divided where positive, multiplied where negative
            factor = self.repetition_penalty
            logits = torch.where(
                seen, torch.where(logits > 0, logits / factor, logits * factor), logits
            )
        if self.temperature != 1:
            logits = logits / self.temperature
        if self.top_k is not None and self.top_k < logits.shape[1]:
            least = logits.topk(self.top_k).values[:, -1:]
            logits = logits.masked_fill(logits < least, -torch.inf)
        if self.top_p < 1:
            # a token is kept where the more probable ones have less than top_p together (Holtzman et al. 2020)
            logits = _without(logits, -logits, self.top_p)
        if self.min_p > 0:
            floor = logits.amax(1, keepdim=True) + torch.log(torch.tensor(self.min_p))
            logits = logits.masked_fill(logits < floor, -torch.inf)
        if self.typical_p < 1:
            # by distance of a token's surprise from the entropy (Meister et al. 2023)
            logs = logits.double().log_softmax(1)
            entropy = -(logs.exp() * logs.nan_to_num(neginf=0)).sum(1, keepdim=True)
            logits = _without(logits, (-logs - entropy).abs(), self.typical_p)
        return logits


FULL = Decoding()


def _without(logits, order, mass):
    """Logits of the first tokens by `order`, of which those before each have less than `mass` together.

    Tokens that are equal to the last of them are kept too: their numbers in the vocabulary decide nothing.
    """
    probabilities, count = logits.double().softmax(1), FEW
    while True:
        count = min(count, order.shape[1])
        ordered, places = order.topk(count, largest=False)
        up_to = probabilities.gather(1, places)
        before = up_to.cumsum(1) - up_to
        if count == order.shape[1] or bool((before[:, -1] + up_to[:, -1] >= mass).all()):
            break
        count *= 4  # a flat distribution: a few tokens do not have the mass
    last = ordered.gather(1, (before < mass).sum(1, keepdim=True) - 1)
    return logits.masked_fill(order > last, -torch.inf)
