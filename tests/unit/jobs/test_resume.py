"""Stopped anywhere and begun again, training and sampling make the same bits."""

import contextlib
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from tools import initialise, lively

from ouroboros.data.corpus import Corpus
from ouroboros.errors import UserError
from ouroboros.jobs.signals import Stopped, stop_on_signals
from ouroboros.jobs.snapshots import Keeper, States
from ouroboros.model.families.gpt_neo.model import GPTNeo
from ouroboros.sampling.sampled_batches import SampledBatches
from ouroboros.sampling.sampler import sample
from ouroboros.training.early_stopping import train_until_best
from ouroboros.training.trainer import Training, TrainingSettings, train

SETTINGS = TrainingSettings(
    batch=8, learning_rate=3e-3, betas=(0.9, 0.95), weight_decay=0.1, gradient_clip=1.0,
    epochs="auto", max_epochs=4, patience=1, precision="fp16",
)  # fmt: skip
HELD_OUT = [np.arange(1, 20, dtype=np.uint16)]


@pytest.fixture
def corpus():
    """21 sequences: updates of 8, 8 and 5."""
    tokens = np.random.default_rng(0).integers(1, 300, (21, 16)).astype(np.uint16)
    return Corpus(tokens, np.zeros(21, np.uint16))


@pytest.fixture
def begin(model_settings, corpus, tmp_path):
    """A training job as a new process begins it: from its state, where it has one."""

    def begin(minutes=1e6, digest="d", settings=SETTINGS, **changes):
        keeper = Keeper(States(tmp_path / "job.state", digest), minutes)
        arguments = {"seed": 0, "generation": 1, "micro_batch": 3} | changes
        job = Training(
            initialise(model_settings, 0),
            settings,
            corpus,
            device=torch.device("cpu"),
            keeper=keeper,
            **arguments,
        )
        job.resume()
        return job

    return begin


@pytest.fixture
def whole(model_settings, corpus):
    """An uninterrupted job: its model, its losses, what early stopping found."""
    job = Training(initialise(model_settings, 0), SETTINGS, corpus, 0, 1, torch.device("cpu"), 3)
    model, found = train_until_best(job, HELD_OUT, 0)
    return model, job.losses, found


def stop_at(monkeypatch, call, number=signal.SIGTERM):
    """The signal comes in the `call`-th forward pass: 3 + 3 + 2 micro-batches per epoch, and a held-out one."""
    calls = [0]
    forward = GPTNeo.hidden

    def hidden(self, ids):
        calls[0] += 1
        if calls[0] == call:
            os.kill(os.getpid(), number)
        return forward(self, ids)

    monkeypatch.setattr(GPTNeo, "hidden", hidden)


def same(model, losses, found, whole):
    expected, expected_losses, expected_found = whole
    weights = expected.state_dict()
    return (
        losses == expected_losses
        and found == expected_found
        and all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    )


@contextlib.contextmanager
def as_on_a_terminal():
    """With SIGHUP as it is without `nohup`, which the tests may run under."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("call", [1, 3, 5, 8, 9, 10, 18, 20])
def test_stopped_by_a_signal(begin, whole, monkeypatch, caplog, call, number):
    """In the first update, within others, between them, and while the held-out stories are measured."""
    caplog.set_level("INFO")
    with monkeypatch.context() as context, as_on_a_terminal():
        stop_at(context, call, number)
        with pytest.raises(Stopped) as stopped, stop_on_signals():
            train_until_best(begin(), HELD_OUT, 0)
        assert stopped.value.code == 128 + number
    job = begin()
    done = {1: 0, 3: 0, 5: 1, 8: 2, 9: 3, 10: 3, 18: 6, 20: 6}[call]
    assert f"Resuming after update {done}" in caplog.text
    model, found = train_until_best(job, HELD_OUT, 0)
    assert same(model, job.losses, found, whole)


def test_nohup_keeps_sighup_away():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_killed_after_any_update(begin, whole, monkeypatch, tmp_path):
    """Only what is on disk is left: each life makes one update, dies, and leaves the state of it."""
    forward = Training.update
    for life in range(8):

        def update(self, rows, life=life):
            if len(self.losses) > life:
                raise RuntimeError("killed")
            return forward(self, rows)

        with monkeypatch.context() as context, pytest.raises(RuntimeError, match="killed"):
            context.setattr(Training, "update", update)
            train_until_best(begin(minutes=0), HELD_OUT, 0)
    job = begin(minutes=0)
    assert len(job.losses) == 8
    model, found = train_until_best(job, HELD_OUT, 0)
    assert same(model, job.losses, found, whole)


def test_other_settings_begin_anew(begin, corpus, model_settings, monkeypatch, caplog):
    train(begin(), 1)
    job = begin(digest="other")
    assert "is ignored: it belongs to other settings" in caplog.text
    assert job.losses == []
    again = begin()
    assert len(again.losses) == 3


def test_memory_that_is_too_small_halves_the_micro_batch(begin, monkeypatch, caplog):
    """Out of memory in the second micro-batch: the first one's gradients must not count twice."""
    caplog.set_level("INFO")
    expected = train(begin(digest="a", micro_batch=2), 2)
    forward, calls = GPTNeo.hidden, [0]

    def hidden(self, ids):
        calls[0] += 1
        if len(ids) > 2 and calls[0] % 2 == 0:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(self, ids)

    monkeypatch.setattr(GPTNeo, "hidden", hidden)
    job = begin(digest="b", micro_batch=4)
    model = train(job, 2)
    assert "too small for a batch of 4: carrying on with 2" in caplog.text
    assert len(job.losses) == 6  # of 8, 8 and 5 sequences as before
    assert torch.equal(model.wte.weight, expected.wte.weight)
    assert begin(digest="b", micro_batch=4).micro_batch == 2
    assert begin(digest="b", micro_batch=1).micro_batch == 1


def scaled(begin, scale, **changes):
    """Training with fp16's scaler, and a gradient so large that it overflows where the scale is."""
    job = begin(**changes)
    job.model.wpe.weight.register_hook(lambda gradient: 1000 * gradient)
    job.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    return job


def test_updates_that_the_scaler_skips_are_no_failure(begin, caplog):
    caplog.set_level("INFO")
    job = scaled(begin, 2.0**127)
    before = job.model.wte.weight.detach().clone()
    job.update(np.arange(8))
    assert torch.equal(job.model.wte.weight, before)
    assert "update 1 was skipped" in caplog.text
    train(job, 5)
    assert job.skipped == 0
    assert None not in job.losses
    assert not torch.equal(job.model.wte.weight, before)


def test_a_loss_that_stays_non_finite_is(begin, monkeypatch):
    job = scaled(begin, 2.0**16, minutes=0)
    train(job, 1)  # three good updates, the last one's state on disk
    last = job.keeper.last_path()
    healthy = job.model.wte.weight.detach().clone()
    forward = GPTNeo.hidden
    monkeypatch.setattr(GPTNeo, "hidden", lambda self, ids: forward(self, ids) * torch.nan)
    with pytest.raises(UserError, match="generation 1 is nan.* update 23 .*20th in a row") as error:
        train(job, 20)
    assert str(last.parent) in str(error.value)
    assert torch.equal(job.model.wte.weight, healthy)
    assert job.losses[3:] == [None] * 19


def test_without_a_scaler_the_first_one_is_and_its_weights_are_not_kept(begin, monkeypatch):
    job = begin(minutes=0)
    train(job, 1)
    forward = GPTNeo.hidden
    monkeypatch.setattr(GPTNeo, "hidden", lambda self, ids: forward(self, ids) * torch.nan)
    with pytest.raises(UserError, match="at update 4 .epoch 2.. The last good state is .*state/"):
        train(job, 2)
    again = begin()
    assert len(again.losses) == 3
    assert torch.isfinite(again.model.wte.weight).all()


def test_the_scaler_goes_on_with_its_scale(begin):
    """From a state whose scale has been halved, both go the same way."""
    job = scaled(begin, 2.0**127, minutes=0, settings=replace(SETTINGS, epochs=3))
    train(job, 2)
    again = scaled(begin, 1.0)
    again.resume()
    assert again.scaler.state_dict() == job.scaler.state_dict()
    assert again.scaler.get_scale() < 2.0**127
    assert torch.equal(train(job, 3).wte.weight, train(again, 3).wte.weight)


def test_sampling_resumes_after_the_batches_that_are_there(model_settings, tmp_path, caplog):
    caplog.set_level("INFO")
    model = lively(initialise(model_settings, 5))

    def draw(lives):
        """So many batches in every life; a life is a process."""
        for life in lives:
            batches = SampledBatches(States(tmp_path / "shard.state", "d"))
            for _, tokens in zip(
                range(life),
                sample(model, 1, range(3, 20), 12, 0, 4, done=batches.rows),
                strict=False,
            ):
                batches.add(tokens, 4)
        return np.concatenate([*SampledBatches(States(tmp_path / "shard.state", "d"))])

    expected = np.concatenate([*sample(model, 1, range(3, 20), 12, 0, 4)])
    assert len(draw([2])) == 8
    assert np.array_equal(draw([1, 1, 9, 0]), expected)
    assert "Resuming after sequence 16, from 4 batches" in caplog.text
    middle = tmp_path / "shard.state/000002.safetensors"
    middle.write_bytes(middle.read_bytes()[:-3])
    assert len(draw([0])) == 8
    assert "000002.safetensors is damaged" in caplog.text
    assert np.array_equal(draw([9]), expected)
    assert len([*SampledBatches(States(tmp_path / "shard.state", "other"))]) == 0
    assert "is ignored" in caplog.text
