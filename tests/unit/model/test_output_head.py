"""Draws follow the softmax exactly, down to its rarest tokens; log-sums are those of the logits."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from ouroboros.kernels import cpu
from ouroboros.model.output_head import Head

VOCABULARY = 1_200
DRAWS = 1_000_000


@pytest.fixture(params=["kernels", "torch"], autouse=True)
def way(request, monkeypatch):
    """Both implementations, the compiled one and PyTorch's."""
    if request.param == "torch":
        monkeypatch.setattr(cpu, "kernels", lambda: None)
    else:
        assert cpu.kernels(), "this machine has no C++ compiler"


def draw(logits, uniforms):
    """By an output layer of width 1 whose weights are the logits: (vocabulary,), (rows,) -> (rows,)."""
    return Head(logits[:, None]).draw(torch.ones(len(uniforms), 1), uniforms)


def logits_of(kind):
    generator = torch.Generator().manual_seed(0)
    if kind == "flat":
        return torch.randn(VOCABULARY, generator=generator) * 0.1
    if kind == "peaked":
        return torch.randn(VOCABULARY, generator=generator) * 4
    return -1.2 * torch.arange(1, VOCABULARY + 1).float().log()  # heavy-tailed, Zipf


@pytest.mark.parametrize("kind", ["flat", "peaked", "heavy-tailed"])
def test_draws_follow_the_distribution(kind):
    logits = logits_of(kind)
    rng = np.random.default_rng(1)
    counts = np.zeros(VOCABULARY)
    for _ in range(DRAWS // 2000):
        tokens = draw(logits, torch.from_numpy(rng.random(2000)))
        counts += np.bincount(tokens.numpy(), minlength=VOCABULARY)
    expected = logits.double().softmax(0).numpy() * DRAWS
    # tokens that are expected seldom are counted together, as the test's assumptions ask
    order = np.argsort(-expected)
    bins = np.minimum(np.cumsum(expected[order]) // 50, np.arange(VOCABULARY)).astype(int)
    observed, wanted = np.bincount(bins, counts[order]), np.bincount(bins, expected[order])
    observed, wanted = observed[wanted >= 20], wanted[wanted >= 20]
    statistic = ((observed - wanted) ** 2 / wanted).sum()
    assert len(wanted) > 20
    assert 1e-4 < chi2.sf(statistic, len(wanted) - 1) < 1 - 1e-4


def test_a_token_of_probability_1e_9_is_drawn_by_the_uniform_that_belongs_to_it():
    """Beside a token of nearly all the mass, in the same block: float32 sums would lose it."""
    logits = torch.full((600,), -60.0)
    logits[100] = 0.0
    logits[101] = np.log(1e-9)
    inside = 1 - 0.5e-9  # the middle of the share that follows token 100
    assert draw(logits, torch.tensor([inside], dtype=torch.float64)).item() == 101
    assert draw(logits, torch.tensor([1 - 3e-9], dtype=torch.float64)).item() == 100


@pytest.mark.parametrize("uniform", [0.0, np.nextafter(1.0, 0.0)])
def test_the_ends_of_the_uniform_never_leave_the_vocabulary(uniform):
    logits = torch.full((1000,), -float("inf"))
    logits[3] = logits[700] = 0.0
    token = draw(logits, torch.tensor([uniform], dtype=torch.float64)).item()
    assert token == (3 if uniform == 0 else 700)


def test_every_token_is_reached_at_the_middle_of_its_share():
    logits = logits_of("peaked")
    probabilities = logits.double().softmax(0)
    middles = probabilities.cumsum(0) - probabilities / 2
    tokens = draw(logits, middles)
    wide = probabilities > 1e-6  # below that, rounding of the reference's own sums decides
    assert torch.equal(tokens[wide], torch.arange(VOCABULARY)[wide])
    assert wide.sum() > 200


@pytest.mark.parametrize("rows", [0, 3])
def test_log_sums_of_rows_and_of_none(rows):
    hidden = torch.arange(1.0, rows + 1)[:, None]
    logits = logits_of("flat")
    expected = (hidden * logits).logsumexp(1)
    assert torch.allclose(Head(logits[:, None]).logsumexp(hidden), expected, atol=1e-5)
