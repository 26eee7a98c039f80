"""The strongest peers that a user of PyTorch could pick: the same model under torch.compile, without our kernels.

A trainer with `F.scaled_dot_product_attention` and a mask, whole logits and fused AdamW; and a sampler
with a static cache, cut to a multiple of 64 positions, that draws by an exponential race.
"""

import time

import common
import numpy as np
import torch
import torch.nn.functional as F

from ouroboros.jobs.device import autocast
from ouroboros.kernels import cpu
from ouroboros.model.families.gpt_neo.model import GPTNeo
from ouroboros.training.trainer import make_optimizer

CUT = 64  # positions: a graph for each multiple of it


def without_kernels():
    """PyTorch's own functions alone, in this process."""
    cpu.kernels = lambda: None


def prepare_trainer(options, tokens: np.ndarray, settings):
    """A repeat makes one update of the sequences `tokens`, of `settings`, and returns tokens/s."""
    without_kernels()
    model = GPTNeo(common.model_settings(options.model)).initialise(0).train()
    optimizer = make_optimizer(model, settings)
    previous = np.full((len(tokens), 1), common.end_of_text(model.settings), tokens.dtype)
    inputs = torch.from_numpy(np.concatenate([previous, tokens[:, :-1]], 1).astype(np.int64))
    targets = torch.from_numpy(tokens.astype(np.int64))

    @torch.compile
    def summed_loss(inputs, targets):
        logits = model.logits(inputs).flatten(0, 1).float()
        return F.cross_entropy(logits, targets.flatten(), reduction="sum")

    def repeat():
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=False)
        for part in torch.arange(len(tokens)).split(options.micro_batch):
            with autocast(torch.device("cpu"), options.precision):
                loss = summed_loss(inputs[part], targets[part])
            (loss / tokens.size).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
        optimizer.step()
        return tokens.size / (time.perf_counter() - start)

    repeat()
    repeat()  # the first one compiles
    return repeat


class StaticCache:
    """Decode steps of `rows` sequences of up to `length` tokens, each compiled as a whole."""

    def __init__(self, model: GPTNeo, rows: int, length: int):
        self.model, self.rows = model, rows
        block = model.blocks[0]
        self.heads, head = block.heads, len(block.out.weight) // block.heads
        shape = len(model.blocks), 2, rows, self.heads, length, head
        self.cache = torch.zeros(shape)
        self.positions = torch.arange(length)
        self.step = torch.compile(self.logits, dynamic=False)

    def logits(self, ids: torch.Tensor, now: torch.Tensor, width: int) -> torch.Tensor:
        """Tokens (rows,) at position `now` (1,) -> logits (rows, vocabulary); `width` positions are looked at."""
        model = self.model
        x = model.wte(ids) + model.wpe.weight[now]
        back = now - self.positions[:width]
        for block, (keys, values) in zip(model.blocks, self.cache, strict=True):
            q, k, v = block.queries(x).view(self.rows, 3, self.heads, 1, -1).unbind(1)
            keys.index_copy_(2, now, k)
            values.index_copy_(2, now, v)
            scores = q @ keys[:, :, :width].transpose(-1, -2)
            scores = scores.masked_fill((back < 0) | (back >= block.span), float("-inf"))
            attended = scores.softmax(-1) @ values[:, :, :width]
            x = block.rest(x, attended.view(self.rows, -1))
        return F.linear(model.ln_f(x), model.head)


@torch.compile(dynamic=False)
def draw(logits):
    """A token per row: the first of exponential races whose rates are the probabilities."""
    shares = logits.softmax(-1)
    return (shares / torch.empty_like(shares).exponential_(1)).argmax(-1)


def prepare_sampler(options):
    """A repeat samples a batch from the empty context, and returns tokens/s."""
    without_kernels()
    model = common.random_model(options.model)
    decoder = StaticCache(model, options.batch, options.tokens)

    @torch.inference_mode()
    def repeat():
        start = time.perf_counter()
        drawn = torch.empty(options.tokens, options.batch, dtype=torch.int64)
        latest = torch.full((options.batch,), common.end_of_text(model.settings))
        for at in range(options.tokens):
            width = min(options.tokens, (at // CUT + 1) * CUT)
            latest = drawn[at] = draw(decoder.step(latest, torch.tensor([at]), width))
        return drawn.numel() / (time.perf_counter() - start)

    repeat()  # compiles
    return repeat
