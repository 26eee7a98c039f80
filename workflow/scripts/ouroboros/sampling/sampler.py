"""Free sampling of a generation's corpus from the empty context (paper 5.1.2, Algorithm 1).

Sequence i of a generation has a random stream of its own (`randomness.uniforms`): neither batches
nor the number of shards change what is drawn.
"""

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch

from ouroboros.data.corpus import token_type
from ouroboros.errors import UserError
from ouroboros.jobs.batch_size import in_batches
from ouroboros.jobs.progress import Progress
from ouroboros.kernels import cpu, gpu_compilers
from ouroboros.model.decoding import FULL, Decoding
from ouroboros.model.exact_draw import draw, products
from ouroboros.model.families import LanguageModel
from ouroboros.model.output_head import Head
from ouroboros.randomness import uniforms
from ouroboros.sampling.rescoring import check_sampled

HALF = torch.float16  # of keys, values and products on a GPU
DRAWN = -1  # stands in `given` where the token is to be drawn
STRIDE = 32  # positions per call of a fused sampler; progress is shown between calls


def sample(
    model: LanguageModel, key: int, indices: range, length: int, end_of_text: int, batch: int,
    decoding: Decoding = FULL, done: int = 0, sampler: type | None = None,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Sequences `indices` of the corpus whose streams belong to `key`: token ids (rows, length).

    The first `done` of them are left out. Where `done` is the end of a batch, the others are sampled
    in the same batches as without it, and so with the same bits. `sampler`: another class than Sampler.

    The empty context is the end-of-text token at position 0; tokens are drawn from the full
    distribution, or as `decoding` says, and a sampled end-of-text is followed by the next story, up to
    `length` tokens.
    """
    if length > model.positions:
        raise UserError(
            f"Sequences of {length} tokens were asked for, but the model has {model.positions} positions. "
            "Lower `sequence_length` of the sampling or train with more `positions`."
        )
    progress = Progress("sample", (len(indices) - done) * length, "tokens")
    samplers, ahead = {}, {}

    def draws_of(start, rows):
        return uniforms(key, indices[start : start + rows], length)

    def attempt(start, rows):
        if rows not in samplers:
            samplers.clear()  # frees its memory for the next one
            samplers[rows] = (sampler or Sampler)(model, rows, length, end_of_text, decoding)
        draws = ahead.pop((start, rows), None)
        if draws is None:
            draws = draws_of(start, rows)

        def prepare_next():
            ahead.clear()
            if (following := start + rows) < len(indices):
                ahead[following, rows] = draws_of(following, rows)

        return samplers[rows].sample(draws, progress, meanwhile=prepare_next)

    # another sampler has another distribution, and so has a decoding that cuts tails
    checked = not model.head.is_cuda or sampler is not None or not decoding.full
    for sequences in in_batches(len(indices), min(batch, len(indices)), attempt, done):
        if not checked:
            check_sampled(model, sequences, end_of_text, decoding.temperature)
            checked = True
        yield sequences
    progress.close()


def fitting_batch(model: LanguageModel, length: int, sequences: int) -> int:
    """The number of sequences to sample at once: what a GPU's free memory holds, up to 128 on a CPU.

    At most 8,192, beyond which a GPU gains nothing (of narrow models, whose steps are mostly starts of
    kernels, 32,768), and such that batches are of even size.
    """
    most = 128
    if model.head.is_cuda:
        width = model.head.shape[1]
        slots = sum(min(span, length) for span in model.spans)
        each = 2 * slots * width * HALF.itemsize + 16 * length
        free, _ = torch.cuda.mem_get_info(model.head.device)
        most = max(1, min(8192 if width > 128 else 32768, int(0.8 * free) // each))
    return -(-sequences // -(-sequences // most))


def for_decoding(model: LanguageModel) -> LanguageModel:
    """A copy for the steps on a GPU: products read weights in half precision, which else every step would
    cast, and what stands between them is compiled into few kernels, where that works."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.to(HALF)
    if gpu_compilers.usable(model.head.device.type):
        model.compile_blocks()
    return model


class Sampler:
    """Sample up to `rows` sequences at a time, in buffers that are reused.

    On a GPU keys, values and products are float16, sums float32. Each step is a CUDA graph, captured
    once and replayed: so all that a step reads or writes, the time too, stays at its address.
    """

    @torch.inference_mode()
    def __init__(self, model, rows, length, end_of_text, decoding=FULL):
        device = model.head.device
        self.on_gpu = device.type == "cuda"
        self.decoding = decoding
        self.dtype = token_type(model.vocabulary_size)
        self.fused = model.fused_sampler(rows, length, decoding)
        if self.on_gpu:
            model = for_decoding(model)
        if not self.fused:
            self.decoder = model.decoder(rows, length, HALF if self.on_gpu else torch.float32)
            self.head = Head(model.head.to(HALF) if self.on_gpu else model.head)
        self.draws = torch.zeros(length, rows, dtype=torch.float64, device=device)
        # row 0 is the empty context; token t of a sequence is in row t + 1
        self.tokens = torch.full((length + 1, rows), end_of_text, device=device)
        self.given = torch.full_like(self.tokens, DRAWN)
        self.by_kernel = cpu.usable(model.head)
        self.seen = None  # which tokens each row has so far, where no kernel looks at them
        if decoding.repetition_penalty != 1 and not self.by_kernel:
            self.seen = torch.zeros(rows, model.vocabulary_size, dtype=torch.bool, device=device)
        self.device_time = torch.zeros(1, dtype=torch.int64, device=device)
        self.graphs = {}

    @torch.inference_mode()
    def sample(
        self,
        draws: np.ndarray,
        progress,
        given: np.ndarray | None = None,
        context: np.ndarray | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> np.ndarray:
        """Tokens (rows, length) from uniforms (rows, length), for up to as many rows as prepared.

        Where `given`, int64 (rows, length), is not DRAWN, its token is taken instead of a draw. `context`
        (rows,): tokens to begin after, in place of end-of-text. `meanwhile` is called when all steps are on
        their way, which a GPU takes while the caller goes on.
        """
        rows, length = draws.shape
        self.draws[:length, :rows] = torch.from_numpy(draws.T)
        if context is not None:
            self.tokens[0, :rows] = torch.from_numpy(context.astype(np.int64))
        self.given.fill_(DRAWN)
        if self.seen is not None:
            self.seen.fill_(False)
        if given is not None:
            self.given[1 : length + 1, :rows] = torch.from_numpy(given.T)
        stride = STRIDE if self.fused else 1
        for time in range(0, length, stride):
            end = min(time + stride, length)
            self.device_time.fill_(time)
            if self.fused:
                self.fused.steps(self.tokens, self.draws, self.given, time, end)
            elif self.on_gpu:
                self._replay(time)
            else:
                self._step(time)
            progress.add(rows * (end - time))
        if meanwhile:
            meanwhile()
        return self.tokens[1 : length + 1, :rows].T.cpu().numpy().astype(self.dtype)

    def _step(self, time):
        """Draw token `time` of every sequence; a second call changes nothing."""
        latest = self.tokens.index_select(0, self.device_time).squeeze(0)
        with torch.autocast("cuda", HALF, enabled=self.on_gpu, cache_enabled=False):
            hidden = self.decoder.step(latest, time, self.device_time)
        draws = self.draws.index_select(0, self.device_time).squeeze(0)
        if self.decoding.full:
            if self.decoding.temperature != 1.0:
                hidden = hidden / self.decoding.temperature
            drawn = self.head.draw(hidden, draws)
        elif self.by_kernel:
            logits = products(hidden / self.decoding.temperature, self.head.weights)
            drawn = self.decoding.draw(logits, self.tokens[: time + 1], draws)
        else:
            if self.seen is not None:
                self.seen.scatter_(1, latest[:, None], True)
            logits = products(hidden, self.head.weights)
            drawn = draw(self.decoding.logits(logits, self.seen), draws)
        given = self.given.index_select(0, self.device_time + 1).squeeze(0)
        drawn = torch.where(given == DRAWN, drawn, given)
        self.tokens.index_copy_(0, self.device_time + 1, drawn.unsqueeze(0))

    def _replay(self, time):
        """Replay the step's CUDA graph, captured at the first step with the same key."""
        key = self.decoder.graph_key(time)
        graph = self.graphs.get(key)
        if graph is None:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self._step(time)  # once before the capture, to initialise libraries
            torch.cuda.current_stream().wait_stream(stream)
            graph = self.graphs[key] = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._step(time)
        graph.replay()
