"""N-gram models against counting by hand."""

import itertools

import numpy as np
import pytest
import torch

from ouroboros.model.decoding import Decoding
from ouroboros.model.families import random_model
from ouroboros.model.families.ngram.model import Model
from ouroboros.model.scoring import story_losses
from ouroboros.sampling.sampler import sample

V, END = 7, 6
ROWS = np.array([[1, 2, 1, 2, 3], [1, 2, 4, 1, 2]])


def trained(order, delta=0.5, rows=ROWS, pieces=1):
    model = Model(order, delta, 64, V)
    for part in np.array_split(rows, pieces):
        model.count(np.concatenate([np.full((len(part), 1), END), part[:, :-1]], 1), part)
    return model


def by_hand(context, token, order, delta=0.5):
    """(N_xv + delta) / (N_x + delta V), over all positions; `context` has order - 1 tokens or None."""
    of_context, both = 0, 0
    for row in ROWS:
        stream = [None] * (order - 2) + [END] + row.tolist() if order > 1 else row.tolist()
        for time in range(order - 1, len(stream)):
            before = stream[time - order + 1 : time]
            of_context += before == context
            both += before == context and stream[time] == token
    return (both + delta) / (of_context + delta * V)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("pieces", [1, 2])
def test_probabilities_are_counts(order, pieces):
    model = trained(order, pieces=pieces)
    stories = [np.array([1, 2, 3], np.uint16), np.array([4, 1, 2, 5], np.uint16)]
    losses = story_losses(model, stories, END, context=9, batch=2)
    for story, own in zip(stories, losses, strict=True):
        stream = [None] * (order - 1) + [END] + story.tolist()
        for time, (token, loss) in enumerate(zip(story, own, strict=True)):
            context = stream[time + 1 : time + order] if order > 1 else []
            assert loss == pytest.approx(-np.log(by_hand(context, token, order)), rel=1e-6), time


@pytest.mark.parametrize("order", [1, 2, 3])
def test_distributions_sum_to_one_and_agree_with_losses(order):
    model = trained(order)
    ids = np.array([[END, 1, 2], [5, 5, 5]])  # the second was never seen
    table = model.probabilities(model.codes(ids)[:, -1])
    assert np.allclose(table.sum(1), 1, atol=1e-15)
    if order > 1:
        assert np.allclose(table[1], 1 / V, atol=1e-15)
    keep = torch.zeros(2, 3, dtype=torch.bool)
    keep[:, -1] = True
    for token in range(V):
        losses = model.losses(torch.from_numpy(ids), keep, torch.full((2,), token))
        assert np.allclose(np.exp(-losses.numpy()), table[:, token], rtol=1e-13)


@pytest.mark.parametrize(("order", "temperature"), [(1, 1.0), (2, 1.0), (2, 0.5)])
def test_sampled_tokens_have_the_models_distribution(order, temperature):
    model = trained(order)
    drawn = np.concatenate([*sample(model, 3, range(4000), 6, END, 500, Decoding(temperature))])
    inputs = np.concatenate([np.full((4000, 1), END), drawn[:, :-1]], 1)
    codes = model.codes(inputs).ravel()
    statistic = freedom = 0
    for code in np.unique(codes):
        counts = np.bincount(drawn.ravel()[codes == code], minlength=V)
        expected = model.probabilities(np.array([code]))[0] ** (1 / temperature)
        expected *= counts.sum() / expected.sum()
        statistic += ((counts - expected) ** 2 / expected).sum()
        freedom += V - 1
    assert abs(statistic - freedom) < 4 * np.sqrt(2 * freedom)


def test_without_delta_only_what_was_seen_is_drawn():
    model = trained(2, delta=0.0)
    drawn = np.concatenate([*sample(model, 0, range(300), 3, END, 100)])
    seen = {
        (END, 1),
        *((int(a), int(b)) for row in ROWS for a, b in itertools.pairwise(row)),
    }
    pairs = {(END, int(row[0])) for row in drawn} | {(int(r[0]), int(r[1])) for r in drawn}
    assert pairs <= seen


def test_without_counts_it_is_uniform():
    model = random_model({"family": "ngram", "order": 3, "delta": 0.1, "positions": 8}, V, 0)
    assert model.probabilities(np.array([0, 5])) == pytest.approx(np.full((2, V), 1 / V))
    losses = story_losses(model, [np.array([1, 2], np.uint16)], END, 4, 1)
    assert losses[0] == pytest.approx([np.log(V)] * 2)


def test_the_longest_contexts_of_a_large_vocabulary_have_codes_of_their_own():
    model = Model(5, 0.1, 64, 50_257)
    ids = np.array(
        [[50_256, 50_255, 50_254, 50_253], [50_256, 50_255, 50_254, 50_252], [1, 1, 1, 1]]
    )
    codes = model.codes(ids)
    assert len(np.unique(codes)) == 4 + 1 + 4 and codes.min() >= 0  # two rows begin alike


def test_tokens_are_drawn_as_the_decoding_says():
    """Of the two most frequent tokens alone, as often each."""
    model = trained(1)
    drawn = np.concatenate([*sample(model, 3, range(4000), 1, END, 500, Decoding(top_k=2))])[:, 0]
    expected = model.probabilities(model.codes(np.array([[END]]))[:, -1])[0]
    expected = np.where(expected >= np.sort(expected)[-2], expected, 0)
    shares, expected = np.bincount(drawn, minlength=V) / 4000, expected / expected.sum()
    assert shares[expected == 0].sum() == 0
    assert np.abs(shares - expected).max() < 0.03
