"""A GPU's memory that is too small, pretended: halved batches give what small ones give."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tools import initialise

from ouroboros.jobs.batch_size import halve_until_fits, in_batches
from ouroboros.metrics.classification.evaluate import predict
from ouroboros.model.families.gpt_neo.model import GPTNeo
from ouroboros.model.scoring import story_losses
from ouroboros.sampling import sampler
from ouroboros.sampling.completions import complete


def too_small(most, call):
    """`call`, which is out of memory where its tensor has more than `most` rows."""

    def limited(self, rows, *others, **named):
        if len(rows) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nMore.")
        return call(self, rows, *others, **named)

    return limited


def test_it_is_halved_until_it_fits(caplog):
    tried = []

    def attempt(batch):
        tried.append(batch)
        if batch > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return batch * 10

    assert halve_until_fits(20, attempt) == (30, 3)
    assert tried == [20, 10, 5, 3]
    assert "too small for a batch of 5: carrying on with 3" in caplog.text
    seen = []
    results = in_batches(10, 8, lambda start, size: seen.append(start) or attempt(size), start=1)
    assert list(results) == [20] * 5  # 8, 4, 2
    assert seen == [1, 1, 1, 3, 5, 7, 9]


def test_where_even_one_row_is_too_much_the_error_stays():
    def attempt(batch):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(torch.OutOfMemoryError):
        halve_until_fits(4, attempt)
    with pytest.raises(ValueError):  # and other errors are not touched
        halve_until_fits(4, lambda batch: int("x"))


def test_perplexity(model_settings, monkeypatch, caplog):
    model = initialise(model_settings, 0)
    stories = [np.random.default_rng(n).integers(1, 300, 5 + n) for n in range(30)]
    expected = story_losses(model, stories, 0, 24, 5)  # 20, 10, 5
    monkeypatch.setattr(GPTNeo, "hidden", too_small(5, GPTNeo.hidden))
    losses = story_losses(model, stories, 0, 24, 20)
    assert "carrying on with 5" in caplog.text
    assert np.array_equal(np.concatenate(losses), np.concatenate(expected))


class Narrow(sampler.Sampler):
    """Has room for four sequences, or for eight as long as it does not begin."""

    def __init__(self, model, rows, *others, **named):
        self.rows = rows
        if rows > 8:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        super().__init__(model, rows, *others, **named)

    def sample(self, *arguments, **named):
        if self.rows > 4:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().sample(*arguments, **named)


def test_sampling(model_settings, monkeypatch, caplog):
    model = initialise(model_settings, 0)
    expected = [*sampler.sample(model, 1, range(10), 12, 0, 4)]
    monkeypatch.setattr(sampler, "Sampler", Narrow)
    drawn = [*sampler.sample(model, 1, range(10), 12, 0, 16)]  # 10, 5, 3
    assert "carrying on with 3" in caplog.text
    assert np.array_equal(np.concatenate(drawn), np.concatenate(expected))


def test_completions(model_settings, tokenizer, monkeypatch, caplog):
    model = initialise(model_settings, 0)
    arguments = model, tokenizer, 0, ["Once", "Tom had a kite"], 5, 6, 1
    expected = complete(*arguments, batch=2)
    original = sampler.Sampler.__init__

    def limited(self, model, rows, *others):
        if rows > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        original(self, model, rows, *others)

    monkeypatch.setattr(sampler.Sampler, "__init__", limited)
    assert complete(*arguments, batch=8) == expected
    assert "carrying on with 2" in caplog.text


def test_classification(caplog):
    class Longest:
        """Its class is whether a text begins with an even token; it has room for three texts."""

        device, config = torch.device("cpu"), SimpleNamespace(pad_token_id=9)

        def eval(self):
            pass

        def __call__(self, ids, use_cache):
            if len(ids) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return SimpleNamespace(logits=torch.nn.functional.one_hot(ids[:, 0] % 2, 2))

    texts = [np.array([n] * (1 + n % 4)) for n in range(8)]
    assert predict(Longest(), texts, 8).tolist() == [0, 1] * 4
    assert "carrying on with 2" in caplog.text
