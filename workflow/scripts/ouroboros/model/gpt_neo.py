"""GPT-Neo in one screen: the forward of training and measuring; `sampling/kv_cache.py` has the step of sampling.

The same function as transformers' `GPTNeoForCausalLM` (tied embeddings, unscaled dot products,
attention alternating global and local), without its T x T masks and its dropout. `checkpoint.py`
converts the weights.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from ouroboros.model.attention import attention

EPSILON = 1e-5  # of the layer norms


@dataclass(frozen=True)
class ModelSettings:
    """An entry of `models` in the configuration, and the tokenizer's vocabulary size."""

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


class Block(nn.Module):
    """Attention, then a perceptron of four times the width, each after a layer norm."""

    def __init__(self, settings: ModelSettings, layer: int):
        super().__init__()
        width = settings.hidden_size
        self.heads, self.span = settings.heads, settings.span(layer)
        self.ln_1 = nn.LayerNorm(width, EPSILON)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.ln_2 = nn.LayerNorm(width, EPSILON)
        self.fc = nn.Linear(width, 4 * width)
        self.proj = nn.Linear(4 * width, width)

    def forward(self, x):
        """x: (batch, time, width)."""
        qkv = self.queries(x).unflatten(2, (3, self.heads, -1))
        return self.rest(x, attention(qkv, self.span).flatten(2))

    def queries(self, x):
        """Queries, keys and values, side by side: (..., width) -> (..., 3 * width)."""
        return self.qkv(self.ln_1(x))

    def rest(self, x, attended):
        """The part of the block after attention: x and attended (..., width) -> (..., width)."""
        x = x + self.out(attended)
        return x + self.proj(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))


class GPTNeo(nn.Module):
    """The language model; `hidden` gives the states that `head` (tied) turns into logits."""

    def __init__(self, settings: ModelSettings):
        super().__init__()
        self.settings = settings
        self.wte = nn.Embedding(settings.vocabulary_size, settings.hidden_size)
        self.wpe = nn.Embedding(settings.positions, settings.hidden_size)
        self.blocks = nn.ModuleList(Block(settings, layer) for layer in range(settings.layers))
        self.ln_f = nn.LayerNorm(settings.hidden_size, EPSILON)

    @property
    def head(self) -> torch.Tensor:
        """The output weights, tied to the token embeddings: (vocabulary, width)."""
        return self.wte.weight

    def hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (batch, time) -> final states (batch, time, width); time <= positions."""
        time = ids.shape[1]
        x = self.wte(ids) + self.wpe.weight[:time]
        for block in self.blocks:
            x = block(x)
        return self.ln_f(x)

    def logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (batch, time) -> logits (batch, time, vocabulary)."""
        return F.linear(self.hidden(ids), self.head)


def initialise(settings: ModelSettings, seed: int) -> GPTNeo:
    """A new model with random weights, GPT-Neo's way: normal of `initial_std`, biases zero."""
    model = GPTNeo(settings)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=settings.initial_std, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    return model
