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


def by_torch(logits, keys, uniforms):
    """A token per uniform."""
    seen = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, SEEN, True)
    return draw(Decoding(**keys).logits(logits, seen).expand(len(uniforms), -1), uniforms)


def by_the_kernel(logits, keys, uniforms):
    rows, decoding = len(uniforms), Decoding(**keys)
    logits = (logits / decoding.temperature).expand(rows, -1).contiguous()
    return decoding.draw(logits, SEEN.T.expand(-1, rows).contiguous(), uniforms)


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
@pytest.mark.parametrize("ours", [by_torch, by_the_kernel])
@pytest.mark.parametrize("draws", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_what_is_drawn(kind, case, draws, ours):
    logits, keys = row(kind), CASES[case]
    expected = theirs(logits, keys)
    generator, counts = torch.Generator().manual_seed(0), np.zeros(VOCABULARY)
    for _ in range(draws // 20_000):
        uniforms = torch.rand(20_000, dtype=torch.float64, generator=generator)
        counts += np.bincount(ours(logits, keys, uniforms), minlength=VOCABULARY)
    assert counts[expected == 0].sum() == 0
    assert p_value(counts, expected) > 1e-4
    assert (
        p_value(counts, logits[0].double().softmax(0).numpy()) < 1e-6
    )  # each key changes what is drawn


@pytest.mark.parametrize("ours", [by_torch, by_the_kernel])
def test_tokens_that_are_equal_are_kept_together(ours):
    """The tenth and the eleventh token are as probable: their numbers in the vocabulary do not decide."""
    logits = torch.tensor([[3.0, *[1.0] * 20, *[-30.0] * 129]])
    uniforms = torch.rand(20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for keys in ({"top_k": 10}, {"top_p": 0.5}, {"typical_p": 0.5}):
        drawn = set(ours(logits, keys, uniforms).tolist())
        assert drawn - {0} in (set(), set(range(1, 21)))


@pytest.mark.parametrize("vocabulary", [2, 257, 70_000])
@pytest.mark.parametrize("case", CASES)
def test_the_kernel_draws_what_torch_draws(vocabulary, case):
    """Row by row, of logits that are peaked and of tokens that differ by row."""
    generator, keys = torch.Generator().manual_seed(0), CASES[case]
    logits = 3 * torch.randn(40, vocabulary, generator=generator)
    tokens = torch.randint(vocabulary, (50, 40), generator=generator)
    uniforms = torch.rand(40, dtype=torch.float64, generator=generator)
    seen = torch.zeros(40, vocabulary, dtype=torch.bool).scatter_(1, tokens.T, True)
    decoding = Decoding(**keys)
    expected = draw(decoding.logits(logits, seen), uniforms)
    drawn = decoding.draw(logits / decoding.temperature, tokens, uniforms)
    assert (drawn == expected).float().mean() >= 0.97  # the rest lies where rounding decides


def test_as_it_comes_the_distribution_is_the_full_one():
    assert Decoding().full and Decoding(0.5).full and not Decoding(top_p=0.9).full
    assert torch.equal(Decoding().logits(row("flat")), row("flat"))
