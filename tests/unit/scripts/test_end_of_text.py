"""Scripts hand on the end-of-text token of the tokenizer: here it is END, and in GPT-2's 50256, not 0."""

import json
from types import SimpleNamespace

import baseline
import completions
import numpy as np
import pyarrow as pa
import pytest
import sample
import sequences
import train
from script_inputs import Named
from tools import END, read_shards

from ouroboros.model.checkpoint import read_lm
from ouroboros.model.scoring import mean_loss, story_losses
from ouroboros.randomness import seed_for
from ouroboros.sampling.completions import complete
from ouroboros.sampling.sampler import sample as draw
from ouroboros.storage.parquet import write_parquet


def write_stories(path, stories):
    write_parquet(path, pa.table({"input_ids": pa.array(stories, pa.list_(pa.uint16()))}))
    return path


def test_the_sequences_of_gen0(tokenizer_folder, tmp_path):
    stories = write_stories(tmp_path / "stories", [[1, 2, 3], [4, 5]])
    job = SimpleNamespace(
        input=Named(tokenizer=tokenizer_folder, train=stories), wildcards=Named(length="3"),
        output=[tmp_path / "shard"],
    )  # fmt: skip
    sequences.main(job)
    corpus = read_shards(job.output)
    assert corpus.tokens.tolist() == [[1, 2, 3], [END, 4, 5]]
    assert corpus.previous.tolist() == [END, 3]


def test_a_shard(sampling_job):
    sampling_job.params |= {"seed": 3, "generation": 2}
    sample.main(sampling_job)
    model, _ = read_lm(sampling_job.input["checkpoint"])
    expected = [*draw(model, seed_for(3, 2, "sampling"), range(12), 10, END, 4)]
    corpus = read_shards(sampling_job.output)
    assert np.array_equal(corpus.tokens, np.concatenate(expected))
    assert corpus.previous.tolist() == [END] * 12


def test_completions(sampling_job, tokenizer, tmp_path):
    (tmp_path / "prompts.yaml").write_text('["Once upon", "Tom"]')
    job = SimpleNamespace(
        input=Named(**sampling_job.input, prompts=tmp_path / "prompts.yaml"),
        params=Named(prompts="prompts.yaml", completions=2, new_tokens=9, seed=3, generation=2),
        resources=sampling_job.resources, threads=1, output=[tmp_path / "completions.json"],
        wildcards=Named(lineage="tiny", lm="gen2"),
    )  # fmt: skip
    completions.main(job)
    model, _ = read_lm(sampling_job.input["checkpoint"])
    key = seed_for(3, 2, "completions")
    expected = complete(model, tokenizer, END, ["Once upon", "Tom"], 2, 9, key)
    assert json.loads(job.output[0].read_text())["stories"] == expected


def of_config(checkpoint):
    return json.loads((checkpoint / "config.json").read_text())["eos_token_id"]


def test_an_untrained_model(training_job):
    baseline.main(training_job)
    assert of_config(training_job.output["checkpoint"]) == END


def test_a_trained_model_and_the_loss_that_finds_its_epochs(training_job, tmp_path):
    stories = [[5, 6, 7], [*range(1, 12)]]
    training_job.input["heldout"] = write_stories(tmp_path / "stories", stories)
    training_job.params["generation"] = 1
    training_job.params["training"] |= {"epochs": "auto", "max_epochs": 1}
    train.main(training_job)
    model, _ = read_lm(training_job.output["checkpoint"])
    assert of_config(training_job.output["checkpoint"]) == END
    expected = mean_loss(story_losses(model, [*map(np.array, stories)], END, 16, 4))
    found = json.loads(training_job.output["epochs"].read_text())
    assert found["held_out_losses"] == [pytest.approx(expected, rel=1e-5)]
