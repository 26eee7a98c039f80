"""GPT-Neo in one screen: one forward for training and measuring, one decode step for sampling.

The same function as transformers' `GPTNeoForCausalLM` (tied embeddings, unscaled dot products,
attention alternating global and local), without its T x T masks and its dropout. `checkpoint.py`
converts the weights.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

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
    """Attention, then a perceptron of four times the width, each behind a layer norm."""

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

    def forward(self, x, masks):
        """x: (batch, time, width)."""
        batch, time, width = x.shape
        q, k, v = self.split(self.qkv(self.ln_1(x)))
        mask = masks(self.span)
        attended = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, scale=1.0
        )
        return self.rest(x, attended.transpose(1, 2).reshape(batch, time, width))

    def step(self, x, keys, values, time: int):
        """The forward of position `time` alone; x: (batch, 1, width), caches: (batch, heads, T, head)."""
        q, keys[:, :, time : time + 1], values[:, :, time : time + 1] = self.split(
            self.qkv(self.ln_1(x))
        )
        seen = slice(max(0, time + 1 - self.span), time + 1)
        weights = (q @ keys[:, :, seen].transpose(-1, -2)).softmax(-1)
        return self.rest(x, (weights @ values[:, :, seen]).reshape(x.shape))

    def split(self, qkv):
        """(batch, time, 3 * width) -> three of (batch, heads, time, head)."""
        batch, time, _ = qkv.shape
        return qkv.view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)

    def rest(self, x, attended):
        """What follows attention."""
        x = x + self.out(attended)
        return x + self.proj(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))


class GPTNeo(nn.Module):
    """The language model; `hidden` and `step` give the states that `head` (tied) turns into logits."""

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
        masks = Masks(time, ids.device)
        for block in self.blocks:
            x = block(x, masks)
        return self.ln_f(x)

    def logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (batch, time) -> logits (batch, time, vocabulary)."""
        return F.linear(self.hidden(ids), self.head)

    def caches(self, batch: int, time: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Empty keys and values of every layer for `step`, room for `time` positions."""
        settings = self.settings
        shape = (batch, settings.heads, time, settings.hidden_size // settings.heads)
        empty = lambda: torch.empty(shape, dtype=self.head.dtype, device=self.head.device)  # noqa: E731
        return [(empty(), empty()) for _ in self.blocks]

    def step(self, ids: torch.Tensor, caches, time: int) -> torch.Tensor:
        """The state behind the token at position `time`: ids (batch,) -> (batch, width)."""
        x = (self.wte(ids) + self.wpe.weight[time]).unsqueeze(1)
        for block, (keys, values) in zip(self.blocks, caches, strict=True):
            x = block.step(x, keys, values, time)
        return self.ln_f(x).squeeze(1)


class Masks:
    """Causal masks of one forward pass, one per span, made once and shared by its layers."""

    def __init__(self, time, device):
        self.time, self.device, self.made = time, device, {}

    def __call__(self, span: int):
        """Boolean (time, time), True where a position is seen; None where causality is all."""
        if span >= self.time:
            return None
        if span not in self.made:
            steps = torch.arange(self.time, device=self.device)
            back = steps[:, None] - steps
            self.made[span] = (back >= 0) & (back < span)
        return self.made[span]


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
