"""The job that a state belongs to: a training or sampling job with any other setting or input begins anew."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import sample
import torch
import train
from safetensors.torch import load_file
from script_inputs import Named, write_shard
from tools import initialise, lively, read_shards

from ouroboros.data.tokenizer import END_OF_TEXT, make_tokenizer, write_tokenizer
from ouroboros.jobs.snapshots import States
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.sampling.sampled_batches import SampledBatches
from ouroboros.training.trainer import Training


class Begun(Exception):
    """Raised in place of the work, once a job knows its states."""


@pytest.fixture
def digest(monkeypatch):
    """The digest of the states that a script's job looks for."""

    def digest(script, job):
        found = []

        def beside(*arguments):
            found.append(States.beside(*arguments).digest)
            raise Begun

        with monkeypatch.context() as context, pytest.raises(Begun):
            context.setattr(script, "States", SimpleNamespace(beside=beside))
            script.main(job)
        return found[0]

    return digest


@pytest.mark.parametrize(
    ("name", "value"),
    [("indices", [0, 13]), ("indices", [1, 12]), ("sequence_length", 11), ("temperature", 1.1),
     ("seed", 1), ("generation", 2)],
)  # fmt: skip
def test_a_setting_of_sampling(digest, sampling_job, name, value):
    before = digest(sample, sampling_job)
    assert digest(sample, sampling_job) == before
    sampling_job.params[name] = value
    assert digest(sample, sampling_job) != before


def test_the_model_that_is_sampled(
    digest, sampling_job, model_settings, tmp_path, tokenizer_folder, monkeypatch
):
    seen = [digest(sample, sampling_job)]
    other = lively(initialise(model_settings, 1))
    for end_of_text in (0, 5):  # other weights, then another config.json
        write_checkpoint(other, tokenizer_folder, end_of_text, {}, tmp_path / "checkpoint")
        seen.append(digest(sample, sampling_job))
    monkeypatch.setattr(sample, "read_lm", lambda _: (other, 7))  # the tokenizer's end-of-text
    seen.append(digest(sample, sampling_job))
    assert len(set(seen)) == 4


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        *(("training", name, value) for name, value in {
            "batch": 9, "learning_rate": 3.1e-3, "betas": [0.9, 0.96], "weight_decay": 0.2,
            "gradient_clip": 2.0, "epochs": 3, "max_epochs": 5, "patience": 2, "precision": "bf16",
        }.items()),
        *(("model", name, value) for name, value in {
            "layers": 3, "hidden_size": 18, "heads": 4, "window": 7, "context": 15,
            "positions": 17, "initial_std": 0.03,
        }.items()),
        (None, "seed", 1),
        (None, "generation", 3),
    ],
)  # fmt: skip
def test_a_setting_of_training(digest, training_job, part, name, value):
    before = digest(train, training_job)
    assert digest(train, training_job) == before
    (training_job.params[part] if part else training_job.params)[name] = value
    assert digest(train, training_job) != before


def test_what_a_model_is_trained_on(digest, training_job, texts, tmp_path):
    seen = [digest(train, training_job)]
    training_job.input["corpus"] = training_job.input["corpus"][::-1]
    seen.append(digest(train, training_job))
    write_shard(training_job.input["corpus"][0], 7)
    seen.append(digest(train, training_job))
    training_job.input["corpus"].pop()
    seen.append(digest(train, training_job))
    (tmp_path / "epochs.json").write_text('{"epochs": 3}')
    seen.append(digest(train, training_job))
    tokenizer, _ = make_tokenizer({"source": "train", "vocabulary_size": 310}, texts)
    write_tokenizer(tokenizer, END_OF_TEXT, tmp_path / "larger")
    training_job.input["tokenizer"] = tmp_path / "larger"
    seen.append(digest(train, training_job))
    assert len(set(seen)) == len(seen)
    write_shard(tmp_path / "heldout", 7)
    assert digest(train, training_job) == seen[-1]  # generation 1 alone looks at it
    training_job.params["generation"] = 1
    first = digest(train, training_job)
    write_shard(tmp_path / "heldout", 8)
    assert digest(train, training_job) != first


@pytest.mark.parametrize("script", [sample, train])
def test_the_device_and_what_changes_no_result(digest, script, sampling_job, training_job, device):
    job = sampling_job if script is sample else training_job
    before = digest(script, job)
    job.resources["batch"], job.threads = 2, 3
    training_job.config["state_minutes"] = 7
    assert digest(script, job) == before
    device["type"] = "meta"
    assert digest(script, job) != before


def fail_after(monkeypatch, where, name, calls):
    """The job dies in the call after so many."""
    method, count = getattr(where, name), [0]

    def dying(self, *arguments):
        count[0] += 1
        if count[0] > calls:
            raise Begun
        return method(self, *arguments)

    monkeypatch.setattr(where, name, dying)


def test_sampling_at_another_temperature_begins_anew(sampling_job, monkeypatch, caplog):
    caplog.set_level("INFO")
    with monkeypatch.context() as context, pytest.raises(Begun):
        fail_after(context, SampledBatches, "add", 2)
        sample.main(sampling_job)
    sampling_job.params["temperature"] = 0.5
    other = copy.copy(sampling_job)
    other.output = [sampling_job.output[0].with_name("other.parquet")]
    for job in (sampling_job, other):
        sample.main(job)
    assert "Resuming" not in caplog.text
    tokens, expected = (read_shards(job.output).tokens for job in (sampling_job, other))
    assert np.array_equal(tokens, expected)
    assert not sampling_job.output[0].with_suffix(".state").exists()


def test_sampling_goes_on_in_batches_of_the_same_size(sampling_job, monkeypatch):
    """Though other batches would fit the memory that is free now."""
    whole = copy.copy(sampling_job)
    whole.output = [sampling_job.output[0].with_name("whole.parquet")]
    sample.main(whole)
    sampling_job.resources["batch"] = "auto"
    with monkeypatch.context() as context, pytest.raises(Begun):
        context.setattr(sample, "fitting_batch", lambda *_: 5)
        fail_after(context, SampledBatches, "add", 1)
        sample.main(sampling_job)
    monkeypatch.setattr(sample, "fitting_batch", lambda *_: 3)
    sizes, add = [], SampledBatches.add
    monkeypatch.setattr(
        SampledBatches, "add", lambda self, *given: sizes.append(len(given[0])) or add(self, *given)
    )
    sample.main(sampling_job)
    assert sizes == [5, 2]
    tokens, expected = (read_shards(job.output).tokens for job in (sampling_job, whole))
    assert np.array_equal(tokens, expected)


def test_training_at_another_rate_begins_anew(training_job, monkeypatch, caplog):
    caplog.set_level("INFO")
    with monkeypatch.context() as context, pytest.raises(Begun):
        fail_after(context, Training, "update", 3)
        train.main(training_job)
    training_job.params["training"]["learning_rate"] = 1e-2
    training_job.config["state_minutes"] = 1e6
    other = copy.copy(training_job)
    other.output = Named(checkpoint=training_job.output["checkpoint"].with_name("other"))
    for job in (training_job, other):
        train.main(job)
    assert "Resuming" not in caplog.text
    weights, expected = (
        load_file(job.output["checkpoint"] / "model.safetensors") for job in (training_job, other)
    )
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())
    assert not training_job.output["checkpoint"].with_suffix(".state").exists()
