"""The peer under torch.compile samples and learns what our model does; here its functions as they are, not compiled."""

import sys
from types import SimpleNamespace

import numpy as np
import torch
from tools import REPOSITORY, initialise, lively

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import compiled

from ouroboros.kernels import cpu


def test_steps_with_a_static_cache_are_the_models(model_settings, monkeypatch):
    monkeypatch.setattr(cpu, "kernels", lambda: None)
    model = lively(initialise(model_settings, 5))
    length = 2 * model_settings.window + 3
    ids = torch.randint(300, (3, length), generator=torch.Generator().manual_seed(0))
    decoder = compiled.StaticCache(model, 3, length)
    with torch.inference_mode():
        found = [
            decoder.logits(ids[:, at], torch.tensor([at]), length if at % 2 else at + 1)
            for at in range(length)
        ]
        torch.testing.assert_close(torch.stack(found, 1), model.logits(ids), rtol=1e-4, atol=1e-4)


def test_its_updates_are_ours(model_settings, monkeypatch):
    """In the loss's course: after an update the next loss is as far down."""
    from ouroboros.data.corpus import Corpus
    from ouroboros.training.trainer import Training, TrainingSettings

    settings = TrainingSettings(8, 3e-3, (0.9, 0.95), 0.1, 1.0, 1, 1, 1, "fp32")
    tokens = np.random.default_rng(0).integers(300, size=(8, 32)).astype(np.uint16)
    previous = np.full(8, 299, np.uint16)
    losses, cross_entropy = [], compiled.F.cross_entropy

    def noted(*arguments, **options):
        found = cross_entropy(*arguments, **options)
        losses.append(found.item() / tokens.size)
        return found

    monkeypatch.setattr(cpu, "kernels", lambda: None)
    monkeypatch.setattr(compiled, "without_kernels", lambda: None)
    monkeypatch.setattr(compiled.torch, "compile", lambda function: function)
    monkeypatch.setattr(compiled.common, "model_settings", lambda name: model_settings)
    monkeypatch.setattr(compiled.F, "cross_entropy", noted)
    options = SimpleNamespace(model="tiny", micro_batch=8, precision="fp32")
    compiled.prepare_trainer(options, tokens, settings)()
    ours = Training(
        initialise(model_settings, 0), settings, Corpus(tokens, previous), 0, 1, torch.device("cpu"), 8
    )  # fmt: skip
    expected = [ours.update(np.arange(8)) for _ in losses]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert losses[2] < losses[0] - 0.01
