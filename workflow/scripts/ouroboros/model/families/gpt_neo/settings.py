"""The settings of a GPT-Neo."""

from dataclasses import dataclass

EPSILON = 1e-5  # of the layer norms


@dataclass(frozen=True)
class GPTNeoSettings:
    """A resolved entry of `models`, and the tokenizer's vocabulary size."""

    layers: int
    hidden_size: int
    heads: int
    window: int
    context: int
    positions: int
    initial_std: float
    vocabulary_size: int

    def span(self, layer: int) -> int:
        """Tokens that a layer looks back, its own among them: even layers global, odd local."""
        return min(self.context, self.window) if layer % 2 else self.context
