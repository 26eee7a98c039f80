"""Perplexity against the definition, token by token, in transformers' own model."""

import math
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from tools import END, initialise, lively
from transformers import AutoModelForCausalLM

from ouroboros.errors import UserError
from ouroboros.metrics.ppl.measure import measure, story_table
from ouroboros.metrics.ppl.perplexity import perplexity
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.model.scoring import story_losses
from ouroboros.storage.parquet import write_parquet

CONTEXT = 20


def brute_force(model, story):
    """-log p(token t | up to CONTEXT tokens before it), one forward each (paper 5.2)."""
    losses = []
    for time in range(len(story)):
        context = list(story[max(0, time - CONTEXT) : time])
        if len(context) < CONTEXT:
            context = [END, *context]  # the empty context
        with torch.no_grad():
            logits = model(torch.tensor([[int(token) for token in context]])).logits[0, -1]
        losses.append(-logits.log_softmax(-1)[int(story[time])].item())
    return losses


def test_equals_brute_force_on_stories_shorter_and_longer_than_the_context(
    model_settings, tokenizer_folder, tmp_path
):
    model = lively(initialise(model_settings, 3))
    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "checkpoint")
    reference = AutoModelForCausalLM.from_pretrained(tmp_path / "checkpoint").eval()
    rng = np.random.default_rng(0)
    lengths = [1, 7, CONTEXT - 1, CONTEXT, CONTEXT + 1, 45, 3]
    stories = [rng.integers(0, 300, n).astype(np.uint16) for n in lengths]
    expected = [brute_force(reference, story) for story in stories]
    for batch in (1, 3, 100):
        losses = story_losses(model, stories, END, CONTEXT, batch)
        for ours, theirs in zip(losses, expected, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-4)
    mean = np.concatenate(expected).mean()
    assert perplexity(losses)["perplexity"] == pytest.approx(math.exp(mean), rel=1e-5)
    assert perplexity(losses)["tokens"] == sum(lengths)


def test_an_untrained_model_is_nearly_uniform(model_settings):
    model = initialise(model_settings, 0).eval()
    stories = [np.arange(1, 30, dtype=np.uint16)]
    figures = perplexity(story_losses(model, stories, END, CONTEXT, 8))
    assert figures["perplexity"] == pytest.approx(300, rel=0.05)


def test_standard_error_by_hand():
    """Two stories of 2 and 3 tokens: loss 9/5; residuals 2 - 3.6 = -1.6 and 7 - 5.4 = 1.6."""
    figures = perplexity([np.array([1.0, 1.0]), np.array([2.0, 2.0, 3.0])])
    assert figures["loss"] == pytest.approx(1.8)
    assert figures["standard_error"] == pytest.approx(math.sqrt(2 * 1.6**2 * 2) / 5)
    assert perplexity([np.array([1.0])])["standard_error"] is None


def test_stories_of_another_tokenizer_are_refused(model_settings):
    with pytest.raises(UserError, match="hold token 300, the model knows 300 tokens"):
        story_losses(initialise(model_settings, 1), [np.array([5, 300])], END, 24, 8)


def test_it_is_measured_with_the_end_of_text_of_the_checkpoint(
    model_settings, tokenizer_folder, tmp_path
):
    model = lively(initialise(model_settings, 3))
    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "checkpoint")
    stories = [[5, 6, 7], [*range(1, 30)]]
    table = pa.table({"input_ids": pa.array(stories, pa.list_(pa.uint16()))})
    write_parquet(tmp_path / "validation", table)
    inputs = SimpleNamespace(checkpoint=tmp_path / "checkpoint", validation=tmp_path / "validation")
    measured, table = measure(inputs, {"context": CONTEXT}, torch.device("cpu"), 4)
    losses = story_losses(model, [*map(np.array, stories)], END, CONTEXT, 4)
    assert measured["loss"] == pytest.approx(perplexity(losses)["loss"], rel=1e-6)
    assert table["loss"].to_pylist() == pytest.approx([each.sum() for each in losses], rel=1e-5)


def test_the_table_of_stories_holds_what_perplexity_is_made_of():
    losses = [np.array([1, 2], np.float32), np.array([0.5], np.float32)]
    table = story_table(losses)
    assert table.to_pydict() == {"loss": [3.0, 0.5], "tokens": [2, 1]}
    assert perplexity(losses)["loss"] == pytest.approx(3.5 / 3)
