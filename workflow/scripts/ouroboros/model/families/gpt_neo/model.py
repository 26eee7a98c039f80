"""GPT-Neo: its forward, as training and measuring use it; decoder.py has the steps of sampling.

The same function as transformers' `GPTNeoForCausalLM` (tied embeddings, unscaled dot products,
attention alternating global and local), without its T x T masks and its dropout.
"""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from ouroboros.model.families import LanguageModel
from ouroboros.model.families.gpt_neo import (
    small_model,
    transformers_attention,
    transformers_format,
)
from ouroboros.model.families.gpt_neo.attention import attention
from ouroboros.model.families.gpt_neo.decoder import GPTNeoDecoder
from ouroboros.model.families.gpt_neo.gelu import gelu
from ouroboros.model.families.gpt_neo.settings import EPSILON, GPTNeoSettings


class Block(nn.Module):
    """Attention, then a perceptron of four times the width, each after a layer norm."""

    def __init__(self, settings: GPTNeoSettings, layer: int):
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
        return x + self.proj(gelu(self.fc(self.ln_2(x))))


class GPTNeo(LanguageModel, nn.Module):
    """The language model; `hidden` gives the states that `head` (tied) turns into logits."""

    Settings = GPTNeoSettings

    def __init__(self, settings: GPTNeoSettings):
        super().__init__()
        self.settings = settings
        self.vocabulary_size, self.positions = settings.vocabulary_size, settings.positions
        self.context = settings.context
        self.wte = nn.Embedding(settings.vocabulary_size, settings.hidden_size)
        self.wpe = nn.Embedding(settings.positions, settings.hidden_size)
        self.blocks = nn.ModuleList(Block(settings, layer) for layer in range(settings.layers))
        self.ln_f = nn.LayerNorm(settings.hidden_size, EPSILON)

    def from_second_position(self):
        later = copy.deepcopy(self)
        with torch.no_grad():
            later.wpe.weight[:-1] = self.wpe.weight[1:]
        return later

    @staticmethod
    def accelerate(theirs):
        transformers_attention.replace_attention(theirs)

    @classmethod
    def from_settings(cls, settings, vocabulary_size):
        return cls(cls.Settings(**settings, vocabulary_size=vocabulary_size))

    @classmethod
    def from_config(cls, config):
        return cls(cls.Settings(**transformers_format.from_config(config)))

    @classmethod
    def from_transformers(cls, theirs, settings):
        own = {key: value for key, value in settings.items() if key != "family"}
        model = cls.from_settings(own, theirs.config.vocab_size)
        model.load_weights(theirs.state_dict())
        return model

    def initialise(self, seed):
        """Draw the weights GPT-Neo's way: normal of `initial_std`, biases zero."""
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=self.settings.initial_std, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
        return self

    @property
    def spans(self):
        return [block.span for block in self.blocks]

    @property
    def head(self):
        """The output weights, tied to the token embeddings: (vocabulary, width)."""
        return self.wte.weight

    def hidden(self, ids):
        """Token ids (batch, time) -> final states (batch, time, width); time <= positions."""
        time = ids.shape[1]
        x = self.wte(ids) + self.wpe.weight[:time]
        for block in self.blocks:
            x = block(x)
        return self.ln_f(x)

    def logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (batch, time) -> logits (batch, time, vocabulary)."""
        return F.linear(self.hidden(ids), self.head)

    def decoder(self, rows, length, dtype=torch.float32):
        return GPTNeoDecoder(self, rows, length, dtype)

    def fused_sampler(self, rows, length, decoding):
        """The kernel for small models, where it can sample this one."""
        if small_model.fits(self):
            return small_model.SmallModelSampler(self, rows, length, decoding)
        return None

    def compile_blocks(self):
        """Compile the parts of a block around attention, which has a kernel of its own."""
        for block in self.blocks:
            block.queries = torch.compile(block.queries)
            block.rest = torch.compile(block.rest)

    def config(self, end_of_text):
        return transformers_format.to_config(self.settings, end_of_text)

    def weights(self):
        return transformers_format.to_transformers(self)

    def load_weights(self, weights):
        state = transformers_format.from_transformers(weights, self.settings.layers)
        self.load_state_dict(state)


Model = GPTNeo  # the name by which model.families finds it
