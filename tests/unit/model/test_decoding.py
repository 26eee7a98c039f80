"""Decoding against transformers' own processors: by what is drawn from rows that are flat, peaked and heavy-tailed."""

import functools

import numpy as np
import pytest
import torch
from scipy import stats

from ouroboros.model.decoding import Decoding
from ouroboros.model.exact_draw import draw

VOCABULARY = 150
KEYS = {
    "temperature": 0.7, "top_k": 20, "top_p": 0.9, "min_p": 0.3, "typical_p": 0.8, "repetition_penalty": 2.0,
}  # fmt: skip
ALL = {
    "temperature": 1.3,
    "top_k": 500,
    "top_p": 0.95,
    "min_p": 0.001,
    "typical_p": 0.9,
    "repetition_penalty": 1.2,
}
CASES = {key: {key: value} for key, value in KEYS.items()} | {"all": ALL}


@functools.cache
def row(kind):
    """Logits (1, VOCABULARY)."""
    rng = np.random.default_rng(0)
    ranks = 1 + rng.permutation(VOCABULARY)
    values = {
        "flat": 0.5 * rng.standard_normal(VOCABULARY), "peaked": 2.5 * rng.standard_normal(VOCABULARY),
        "heavy-tailed": 5 - 1.1 * np.log(ranks),
    }[kind]  # fmt: skip
    return torch.tensor(values, dtype=torch.float32)[None]


SEEN = torch.tensor([[*range(0, VOCABULARY, 3)]])  # tokens of the sequence so far


def theirs(logits, keys):
    """Probabilities (VOCABULARY,) by transformers, in the order of its `generate`."""
    from transformers import generation

    kinds = {
        "repetition_penalty": generation.RepetitionPenaltyLogitsProcessor,
        "temperature": generation.TemperatureLogitsWarper, "top_k": generation.TopKLogitsWarper,
        "top_p": generation.TopPLogitsWarper, "min_p": generation.MinPLogitsWarper,
        "typical_p": generation.TypicalLogitsWarper,
    }  # fmt: skip
    for key, kind in kinds.items():
        if key in keys:
            logits = kind(keys[key])(SEEN, logits)
    return logits[0].double().softmax(0).numpy()


def ours(logits, keys):
    seen = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, SEEN, True)
    return Decoding(**keys).logits(logits, seen)


def p_value(counts, probabilities):
    """Of chi-square: tokens of few expected draws together."""
    expected = probabilities * counts.sum()
    few = expected < 20
    observed, wanted = counts[~few], expected[~few]
    if expected[few].sum() >= 5:
        observed = np.append(observed, counts[few].sum())
        wanted = np.append(wanted, expected[few].sum())
    return stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue


@pytest.mark.parametrize("kind", ["flat", "peaked", "heavy-tailed"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("draws", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_what_is_drawn(kind, case, draws):
    logits, keys = row(kind), CASES[case]
    expected, changed = theirs(logits, keys), ours(logits, keys)
    generator, counts = torch.Generator().manual_seed(0), np.zeros(VOCABULARY)
    for _ in range(draws // 20_000):
        uniforms = torch.rand(20_000, dtype=torch.float64, generator=generator)
        counts += np.bincount(draw(changed.expand(20_000, -1), uniforms), minlength=VOCABULARY)
    assert counts[expected == 0].sum() == 0
    assert p_value(counts, expected) > 1e-4
    assert (
        p_value(counts, logits[0].double().softmax(0).numpy()) < 1e-6
    )  # each key changes what is drawn


def test_tokens_that_are_equal_are_kept_together():
    """The tenth and the eleventh token are as probable: their numbers in the vocabulary do not decide."""
    logits = torch.tensor([[3.0, *[1.0] * 20]])
    for keys in ({"top_k": 10}, {"top_p": 0.5}, {"typical_p": 0.5}):
        kept = torch.isfinite(Decoding(**keys).logits(logits))[0]
        assert kept[1:].all() or not kept[1:].any()


def test_as_it_comes_the_distribution_is_the_full_one():
    assert Decoding().full and Decoding(0.5).full and not Decoding(top_p=0.9).full
    assert torch.equal(Decoding().logits(row("flat")), row("flat"))
