"""Sampled corpora: their size, their seeds, and what must not change them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tools import END, initialise, lively

from ouroboros.randomness import uniforms
from ouroboros.sampling.sampler import sample

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
    rows = tokens(model, range(6), batch=6, temperature=temperature)
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
        rows = tokens(model, range(50), batch=50, temperature=temperature)
        return np.mean([len(set(row.tolist())) for row in rows])

    assert repeats(0.05) < repeats(1.0) < repeats(3.0)


def test_uniforms_belong_to_the_index_and_not_to_the_length():
    whole = uniforms(7, range(5), 30)
    assert np.array_equal(uniforms(7, [3], 10)[0], whole[3, :10])
    assert len(np.unique(whole)) == 150
    assert whole.min() >= 0 and whole.max() < 1
