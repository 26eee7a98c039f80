"""A sampling job and a training job as Snakemake would start them."""

from pathlib import Path
from types import SimpleNamespace

import completions
import pytest
import sample
import torch
import train
from script_inputs import Named, write_shard
from tools import END, initialise, lively

from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.pipeline.paths import shard

TRAINING = {
    "batch": 8, "learning_rate": 3e-3, "betas": [0.9, 0.95], "weight_decay": 0.1,
    "gradient_clip": 1.0, "epochs": 2, "max_epochs": 4, "patience": 1, "precision": "fp32",
}  # fmt: skip
MODEL = {
    "layers": 2, "hidden_size": 16, "heads": 2, "window": 8, "context": 16, "positions": 16,
    "initial_std": 0.02,
}  # fmt: skip


@pytest.fixture
def device(monkeypatch):
    """The device that jobs get, "cpu" unless a test sets another."""
    place = {"type": "cpu"}
    for script in (sample, train, completions):
        monkeypatch.setattr(script, "choose_device", lambda *_: torch.device(place["type"]))
    return place


@pytest.fixture
def sampling_job(tmp_path, model_settings, tokenizer_folder, device):
    model = lively(initialise(model_settings, 0))
    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "checkpoint")
    return SimpleNamespace(
        input=Named(checkpoint=tmp_path / "checkpoint"), output=[tmp_path / "shard.parquet"],
        params=Named(indices=[0, 12], sequence_length=10, temperature=1.0, seed=0, generation=1),
        resources=Named(gpu=0, batch=4), threads=1,
    )  # fmt: skip


@pytest.fixture
def training_job(tmp_path, tokenizer_folder, device, monkeypatch):
    """Of generation 2, which reads the number of epochs; its folder is the working directory."""
    monkeypatch.chdir(tmp_path)
    shards = [shard("tiny", "gen1", number) for number in range(2)]
    Path(shards[0]).parent.mkdir(parents=True)
    for seed, name in enumerate((*shards, "heldout")):
        write_shard(name, seed)
    (tmp_path / "epochs.json").write_text('{"epochs": 2}')
    return SimpleNamespace(
        input=Named(
            tokenizer=tokenizer_folder, epochs=tmp_path / "epochs.json",
            corpus=shards, heldout=tmp_path / "heldout",
        ),
        output=Named(checkpoint=tmp_path / "trained", epochs=tmp_path / "found.json"),
        params=Named(model=dict(MODEL), training=dict(TRAINING), seed=0, generation=2),
        resources=Named(gpu=0, batch=4), threads=1, wildcards=Named(lineage="tiny"),
        config={"state_minutes": 0}, log=[tmp_path / "train.log"],
    )  # fmt: skip
