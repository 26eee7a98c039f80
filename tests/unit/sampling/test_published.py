"""The quirks of the authors' published code, against transformers under their mask."""

import numpy as np
import pytest
import torch
from tools import END, initialise, lively

from ouroboros.errors import UserError
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.model.families.ngram.model import Model as NGram
from ouroboros.randomness import uniforms
from ouroboros.sampling.published import START, PublishedSampler
from ouroboros.sampling.sampler import sample

ROWS, LENGTH = 40, 14


@pytest.fixture
def model(model_settings):
    return lively(initialise(model_settings, 3))


def drawn(model, end_of_text=END):
    pieces = sample(model, 5, range(ROWS), LENGTH, end_of_text, 16, sampler=PublishedSampler)
    return np.concatenate([*pieces]).astype(np.int64)


def test_tokens_are_drawn_as_under_the_mask(model, tokenizer_folder, tmp_path):
    """Token 0 is fed with an attention mask of 0, and every later token with 1."""
    from transformers import AutoModelForCausalLM

    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "checkpoint")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "checkpoint").eval()
    tokens = drawn(model, end_of_text=10_000)  # no row ends
    inputs = np.concatenate([np.full((ROWS, 1), START), tokens[:, :-1]], 1)
    mask = torch.ones(inputs.shape, dtype=torch.int64)
    mask[:, 0] = 0
    with torch.no_grad():
        logits = theirs(torch.from_numpy(inputs), attention_mask=mask).logits.double()
    ends = torch.softmax(logits, 2).cumsum(2).numpy()
    expected = (ends <= uniforms(5, range(ROWS), LENGTH)[:, :, None]).sum(2)
    assert (tokens == expected).mean() > 0.995  # float32 against float64 at a boundary
    with torch.no_grad():
        seen = theirs(torch.from_numpy(inputs)).logits.double()
    unmasked = (
        torch.softmax(seen, 2).cumsum(2).numpy() <= uniforms(5, range(ROWS), LENGTH)[:, :, None]
    ).sum(2)
    assert (tokens == unmasked).mean() < 0.9


def test_a_row_ends_at_its_first_end_of_text(model):
    whole = drawn(model, end_of_text=10_000)
    end = np.bincount(whole.ravel()).argmax()
    cut = drawn(model, end_of_text=end)
    ended = 0
    for row, full in zip(cut, whole, strict=True):
        (places,) = np.nonzero(full == end)
        first = places[0] if len(places) else LENGTH
        assert np.array_equal(row[:first], full[:first]) and np.all(row[first:] == end)
        ended += first < LENGTH - 1
    assert ended > 3


def test_it_is_for_the_papers_architecture():
    with pytest.raises(UserError, match="published is for models of the family gpt_neo"):
        PublishedSampler(NGram(1, 0.1, 32, 300), 2, 8, END)
