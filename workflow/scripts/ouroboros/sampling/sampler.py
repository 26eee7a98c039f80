"""Free sampling of a generation's corpus from the empty context (paper 5.1.2, Algorithm 1).

Sequence i of a generation has a random stream of its own (`randomness.uniforms`): which sequences
are sampled together, and in how many shards, changes nothing in what is drawn.
"""

from collections.abc import Iterator

import numpy as np
import torch

from ouroboros.data.corpus import TOKEN
from ouroboros.errors import UserError
from ouroboros.jobs.batch_size import in_batches
from ouroboros.jobs.progress import Progress
from ouroboros.model.gpt_neo import GPTNeo
from ouroboros.model.output_head import Head
from ouroboros.randomness import uniforms
from ouroboros.sampling.kv_cache import Decoder
from ouroboros.sampling.small_model import Narrow, fits

HALF = torch.float16  # of keys, values and products on a GPU
DRAWN = -1  # in the place of a given token where there is none
STRIDE = 32  # positions that a narrow model's kernel draws at once: between them progress shows


def sample(
    model: GPTNeo, key: int, indices: range, length: int, end_of_text: int, batch: int,
    temperature: float = 1.0, done: int = 0,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Sequences `indices` of the corpus whose streams belong to `key`: uint16 (rows, length).

    The first `done` of them are left out; those behind are sampled in the batches that they have
    without it where `done` is the end of a batch, and so to the last bit as then.

    The empty context is the end-of-text token at position 0; tokens are drawn from the full
    distribution and a sampled end-of-text is followed by the next story, up to `length` tokens.
    """
    positions = model.settings.positions
    if length > positions:
        raise UserError(
            f"Sequences of {length} tokens were asked for, but the model has {positions} positions. "
            "Lower `sequence_length` of the sampling or train with more `positions`."
        )
    progress = Progress("sample", (len(indices) - done) * length, "tokens")
    samplers = {}

    def attempt(start, rows):
        if rows not in samplers:
            samplers.clear()  # its memory is wanted for the next one
            samplers[rows] = Sampler(model, rows, length, end_of_text, temperature)
        draws = uniforms(key, indices[start : start + rows], length)
        return samplers[rows].sample(draws, progress)

    yield from in_batches(len(indices), min(batch, len(indices)), attempt, done)
    progress.close()


def fitting_batch(model: GPTNeo, length: int, sequences: int) -> int:
    """How many sequences to sample at once: what a GPU's free memory holds, a few on a CPU.

    At most 8,192, behind which a GPU has nothing left to gain, and such that batches are even.
    """
    most = 128
    if model.head.is_cuda:
        slots = sum(min(block.span, length) for block in model.blocks)
        each = 2 * slots * model.settings.hidden_size * HALF.itemsize + 16 * length
        free, _ = torch.cuda.mem_get_info(model.head.device)
        most = max(1, min(8192, int(0.8 * free) // each))
    return -(-sequences // -(-sequences // most))


class Sampler:
    """Buffers for `rows` sequences at a time, filled again and again.

    On a GPU keys, values and products are float16, sums float32, and each step is a graph, captured
    once and replayed: hence everything that a step reads or writes, the time too, stays in place.
    """

    @torch.inference_mode()
    def __init__(self, model, rows, length, end_of_text, temperature=1.0):
        device = model.head.device
        self.on_gpu = device.type == "cuda"
        self.temperature = temperature
        self.narrow = Narrow(model, rows, length, temperature) if fits(model) else None
        if not self.narrow:
            self.decoder = Decoder(model, rows, length, HALF if self.on_gpu else torch.float32)
            self.head = Head(model.head.to(HALF) if self.on_gpu else model.head)
        self.draws = torch.zeros(length, rows, dtype=torch.float64, device=device)
        # token t of a sequence is in row t + 1, behind the empty context
        self.tokens = torch.full((length + 1, rows), end_of_text, device=device)
        self.given = torch.full_like(self.tokens, DRAWN)
        self.clock = torch.zeros(1, dtype=torch.int64, device=device)
        self.graphs = {}

    @torch.inference_mode()
    def sample(self, draws: np.ndarray, progress, given: np.ndarray | None = None) -> np.ndarray:
        """Uniforms (rows, length) -> tokens uint16 (rows, length); rows may be fewer than prepared.

        Where `given`, int64 (rows, length), is not DRAWN, its token is taken instead of a draw.
        """
        rows, length = draws.shape
        self.draws[:length, :rows] = torch.from_numpy(draws.T)
        self.given.fill_(DRAWN)
        if given is not None:
            self.given[1 : length + 1, :rows] = torch.from_numpy(given.T)
        stride = STRIDE if self.narrow else 1
        for time in range(0, length, stride):
            end = min(time + stride, length)
            self.clock.fill_(time)
            if self.narrow:
                self.narrow.steps(self.tokens, self.draws, self.given, time, end)
            elif self.on_gpu:
                self._replay(time)
            else:
                self._step(time)
            progress.add(rows * (end - time))
        return self.tokens[1 : length + 1, :rows].T.cpu().numpy().astype(TOKEN)

    def _step(self, time):
        """Draw token `time` of every sequence. Done twice, it leaves the same behind."""
        latest = self.tokens.index_select(0, self.clock).squeeze(0)
        with torch.autocast("cuda", HALF, enabled=self.on_gpu, cache_enabled=False):
            hidden = self.decoder.step(latest, time, self.clock)
        if self.temperature != 1.0:
            hidden = hidden / self.temperature
        drawn = self.head.draw(hidden, self.draws.index_select(0, self.clock).squeeze(0))
        given = self.given.index_select(0, self.clock + 1).squeeze(0)
        drawn = torch.where(given == DRAWN, drawn, given)
        self.tokens.index_copy_(0, self.clock + 1, drawn.unsqueeze(0))

    def _replay(self, time):
        """The step from its graph, which steps of equal form share."""
        form = self.decoder.form(time)
        graph = self.graphs.get(form)
        if graph is None:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self._step(time)  # once before the capture, so that libraries are set up
            torch.cuda.current_stream().wait_stream(stream)
            graph = self.graphs[form] = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._step(time)
        graph.replay()
