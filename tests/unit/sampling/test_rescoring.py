"""The check of what was sampled: how often it cries wolf, and what it sees."""

import numpy as np
import pytest
import torch
from scipy import stats
from tools import initialise, lively

from ouroboros.errors import UserError
from ouroboros.model.decoding import Decoding
from ouroboros.sampling import rescoring
from ouroboros.sampling.rescoring import check_sampled, departure
from ouroboros.sampling.sampler import sample

LENGTH = 40


@pytest.fixture
def model(model_settings):
    return lively(initialise(model_settings, 5))


def drawn(model, rows, temperature=1.0, seed=0):
    decoding = Decoding(temperature=temperature)
    return next(sample(model, seed, range(rows), LENGTH, 0, rows, decoding))


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_right_samples_are_a_standard_normal_away(model, temperature):
    """Eighty batches, against a normal of mean 0 and spread 1."""
    sequences = drawn(model, 320, temperature)
    away = [departure(model, part, 0, temperature) for part in np.split(sequences, 80)]
    assert stats.kstest(away, "norm").pvalue > 1e-3
    assert max(map(abs, away)) < 4.5


def test_it_is_zero_exactly_in_the_mean(model_settings):
    """Weighted by their probabilities, the first tokens' departures add up to nothing."""
    model = lively(initialise(model_settings, 5))
    with torch.inference_mode():
        probabilities = model.logits(torch.zeros(1, 1, dtype=torch.int64))[0, 0].double().softmax(0)
    every = np.arange(len(probabilities))[:, None]
    away = np.array([departure(model, token[None], 0) for token in every])
    assert abs((probabilities.numpy() * away).sum()) < 1e-5
    assert (probabilities.numpy() * away**2).sum() == pytest.approx(1, abs=1e-4)


def test_what_is_wrong_is_seen(model):
    sequences = drawn(model, rescoring.SEQUENCES)
    check_sampled(model, sequences, 0)
    with pytest.raises(
        UserError, match=r"log p\(token\) \+ entropy"
    ):  # a draw at another temperature
        check_sampled(model, drawn(model, rescoring.SEQUENCES, 1.3), 0)
    shifted = np.roll(sequences, 1, 1)  # each token is a step late, as from a graph's old address
    with pytest.raises(UserError, match="the batch is not kept"):
        check_sampled(model, shifted, 0)


def test_a_job_on_a_gpu_checks_its_first_batch_alone(model, monkeypatch):
    """Pretended: the tensors are on a CPU, and only say otherwise."""
    checked = []
    monkeypatch.setattr(
        "ouroboros.sampling.sampler.check_sampled", lambda *arguments: checked.append(arguments[1:])
    )
    assert len([*sample(model, 0, range(6), LENGTH, 0, 2)]) == 3 and not checked
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    batches = [*sample(model, 0, range(6), LENGTH, 0, 2, Decoding(temperature=0.9))]
    ((sequences, end_of_text, temperature),) = checked
    assert (sequences == batches[0]).all() and (end_of_text, temperature) == (0, 0.9)
