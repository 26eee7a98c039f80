"""Sampled corpora: their size, their seeds, and what must not change them."""

import math
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tools import END, initialise, lively

from ouroboros.jobs.progress import Progress
from ouroboros.kernels import cpu
from ouroboros.model.decoding import Decoding
from ouroboros.model.exact_draw import draw
from ouroboros.randomness import uniforms
from ouroboros.sampling import sampler as sampler_module
from ouroboros.sampling.sampler import DRAWN, Sampler, fitting_batch, sample

LENGTH = 40


@pytest.fixture
def model(model_settings):
    return lively(initialise(model_settings, 5))


def tokens(model, indices, batch, key=1, **settings):
    return np.concatenate(list(sample(model, key, indices, LENGTH, END, batch, **settings)))


def test_exactly_the_sequences_asked_for(model):
    corpus = tokens(model, range(17), batch=5)
    assert corpus.shape == (17, LENGTH)
    assert corpus.dtype == np.uint16
    assert corpus.max() < 300


def test_neither_batch_nor_shards_nor_threads_change_what_is_drawn(model, request):
    whole = tokens(model, range(24), batch=24)
    assert np.array_equal(tokens(model, range(24), batch=7), whole)
    shards = [tokens(model, range(a, b), batch=4) for a, b in ((0, 8), (8, 16), (16, 24))]
    assert np.array_equal(np.concatenate(shards), whole)
    assert np.array_equal(tokens(model, range(24), batch=24), whole)
    request.getfixturevalue("several_threads")
    assert np.array_equal(tokens(model, range(24), batch=24), whole)
    assert not np.array_equal(tokens(model, range(24), batch=24, key=2), whole)
    assert len({row.tobytes() for row in whole}) == 24


def test_the_first_token_follows_the_empty_context(model):
    """Its frequencies over many sequences, against the model's own distribution."""
    with torch.no_grad():
        expected = model.logits(torch.tensor([[END]]))[0, 0].double().softmax(-1).numpy()
    first = np.concatenate([t[:, 0] for t in sample(model, 1, range(20_000), 1, END, 5_000)])
    counts = np.bincount(first, minlength=300)
    large = expected * 20_000 >= 20
    error = (counts - expected * 20_000)[large] / np.sqrt(expected * 20_000)[large]
    assert large.sum() >= 5
    assert np.abs(error).max() < 5


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("width", [16, 144])  # by the kernel for small models, and step by step
def test_later_tokens_follow_the_ones_before_them(model_settings, width, temperature):
    """Every token is the inverse CDF of its uniform under the full forward's distribution."""
    settings = replace(model_settings, hidden_size=width)
    model = lively(initialise(settings, 5), scale=48 / math.sqrt(width))
    rows = tokens(model, range(6), batch=6, decoding=Decoding(temperature))
    draws = uniforms(1, range(6), LENGTH)
    inputs = np.concatenate([np.full((6, 1), END), rows[:, :-1]], axis=1).astype(np.int64)
    with torch.no_grad():
        logits = model.logits(torch.from_numpy(inputs)).double() / temperature
    cdf = logits.softmax(-1).cumsum(-1).numpy()
    for row in range(6):
        for time in range(LENGTH):
            token = rows[row, time]
            assert cdf[row, time, token] > draws[row, time] - 1e-4
            assert token == 0 or cdf[row, time, token - 1] < draws[row, time] + 1e-4


def test_temperature(model):
    def repeats(temperature):
        rows = tokens(model, range(50), batch=50, decoding=Decoding(temperature))
        return np.mean([len(set(row.tolist())) for row in rows])

    assert repeats(0.05) < repeats(1.0) < repeats(3.0)


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_replayed_steps_draw_what_steps_draw(model, monkeypatch):
    """A CUDA graph, pretended: it repeats a step of one time, and reads from the device which it is."""
    draws = uniforms(1, range(6), 3 * LENGTH)
    model = initialise(replace(model.settings, window=70, context=128, positions=3 * LENGTH), 5)
    monkeypatch.setattr(cpu, "kernels", lambda: None)
    given = np.full(draws.shape, DRAWN)
    given[:, 1::9] = 7  # taken, not drawn
    expected = Sampler(lively(model), 6, 3 * LENGTH, END).sample(draws, Progress("", 1, ""), given)
    sampler = Sampler(model, 6, 3 * LENGTH, END)
    captured = []

    class Graph:
        def __init__(self):
            captured.append(int(sampler.device_time))
            self.time = captured[-1]

        def replay(self):
            sampler._step(self.time)

    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name in ("Stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda: stream)
    for name in ("stream", "graph"):
        monkeypatch.setattr(torch.cuda, name, nullcontext)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    sampler.on_gpu = True
    found = sampler.sample(draws, Progress("", 1, ""), given)
    assert captured == [0, 64]
    assert (found == expected).mean() > 0.99


def test_a_batchs_numbers_are_made_while_the_batch_before_is_on_its_way(model, monkeypatch):
    """Each once, of the sequences of its batch; the last batch has none after it."""
    events = []

    def made(key, indices, length):
        events.append(list(indices))
        return uniforms(key, indices, length)

    class Watched(Sampler):
        def _step(self, time):
            events.append("step")
            super()._step(time)

    expected = tokens(model, range(7), batch=3)
    monkeypatch.setattr(sampler_module, "uniforms", made)
    monkeypatch.setattr(cpu, "kernels", lambda: None)
    found = [*sample(model, 1, range(7), LENGTH, END, 3, sampler=Watched)]
    assert (np.concatenate(found) == expected).mean() > 0.99
    steps = ["step"] * LENGTH
    assert events == [[0, 1, 2], *steps, [3, 4, 5], *steps, [6], *steps]


@pytest.mark.filterwarnings("ignore:.*autocast")
def test_a_copy_for_the_steps_of_a_gpu_computes_the_same_in_halves(model, monkeypatch):
    """Its products' weights are halves, which autocast leaves as they are; the model's own are not."""
    monkeypatch.setattr(sampler_module.gpu_compilers, "usable", lambda device: False)
    with torch.inference_mode():  # as a sampler does
        quick = sampler_module.for_decoding(model)
    kinds = {name: parameter.dtype for name, parameter in quick.named_parameters()}
    assert kinds["blocks.0.fc.weight"] == kinds["blocks.1.qkv.weight"] == torch.float16
    assert kinds["wte.weight"] == kinds["blocks.0.ln_1.weight"] == torch.float32
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    monkeypatch.setattr(cpu, "kernels", lambda: None)
    ids = torch.arange(24).view(2, 12)
    with torch.inference_mode(), torch.autocast("cpu", torch.float16):
        found = quick.hidden(ids).float()
    exact = model.hidden(ids)
    assert 1e-6 < (found - exact).norm() / exact.norm() < 1e-2


def test_a_batch_fills_the_free_memory_of_a_gpu_but_for_a_reserve(model, monkeypatch):
    """The memory of a row: what the sampler of one row holds, its caches in halves."""
    monkeypatch.setattr(cpu, "kernels", lambda: None)
    sampler = Sampler(model, 1, LENGTH, END)
    caches = [cache for layer in sampler.decoder.layers for cache in (layer.keys, layer.values)]
    row = sum(tensor.nbytes for tensor in (sampler.draws, sampler.tokens, sampler.given))
    row += sum(cache.nbytes // 2 for cache in caches)
    head = SimpleNamespace(is_cuda=True, shape=model.head.shape, device="cuda")
    on_gpu = SimpleNamespace(head=head, spans=model.spans)

    def batch(free, sequences):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2 * free))
        return fitting_batch(on_gpu, LENGTH, sequences)

    assert 700 < batch(1000 * row, 100_000) < 900
    assert batch(1000 * row, 10) == 10
    assert batch(row // 2, 10) == 1
    assert batch(10**6 * row, 32_769) == 16_385  # at most 32,768, in two of even size
    head.shape = 300, 768
    assert batch(10**6 * row, 16_385) == 5_462  # at most 8,192, in three


def test_batches_of_a_cpu_are_even(model):
    assert [fitting_batch(model, LENGTH, n) for n in (1, 128, 129, 300)] == [1, 128, 65, 100]


def test_progress_counts_what_is_left_to_draw(model, caplog):
    caplog.set_level("INFO")
    assert len(tokens(model, range(3, 20), batch=4, done=8)) == 9
    assert "360 of 360 tokens (100 %)" in caplog.messages[-1]


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("width", [64, 144])
def test_a_later_token_is_drawn_as_the_decoding_says(model_settings, width, kernels, monkeypatch):
    """Of every key at once, with the tokens before it; the widths are those of the two samplers of a CPU."""
    if not kernels:
        monkeypatch.setattr(cpu, "kernels", lambda: None)
    settings = replace(model_settings, hidden_size=width, heads=4)
    model = lively(initialise(settings, 5), scale=48 / math.sqrt(width))
    decoding = Decoding(
        0.8, top_k=60, top_p=0.9, min_p=0.01, typical_p=0.95, repetition_penalty=1.5
    )
    rows = tokens(model, range(6), batch=6, decoding=decoding)
    draws = torch.from_numpy(uniforms(1, range(6), LENGTH))
    inputs = np.concatenate([np.full((6, 1), END), rows[:, :-1].astype(np.int64)], axis=1)
    with torch.inference_mode():
        logits = model.logits(torch.from_numpy(inputs))
    alike = 0
    for time in range(LENGTH):
        seen = torch.zeros(6, 300, dtype=torch.bool)
        seen.scatter_(1, torch.from_numpy(inputs[:, : time + 1]), True)
        expected = draw(decoding.logits(logits[:, time], seen), draws[:, time])
        alike += (expected.numpy() == rows[:, time]).sum()
    assert alike >= 0.99 * rows.size  # the rest lies where rounding decides
    assert not np.array_equal(rows, tokens(model, range(6), batch=6, decoding=Decoding(0.8)))
