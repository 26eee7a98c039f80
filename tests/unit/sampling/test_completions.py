"""Completions of given beginnings: the tokens they follow, their streams, and where they end."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tools import END, initialise, lively

from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.judge import questions
from ouroboros.randomness import uniforms
from ouroboros.sampling import completions
from ouroboros.sampling.completions import complete

NEW = 12
PROMPTS = ["Once upon a time Mia", "Tom", '"Where is my kite?"']


@pytest.fixture
def model(model_settings):
    return lively(initialise(model_settings, 5), 6)


@pytest.fixture
def stories(model, tokenizer):
    def of(prompts=PROMPTS, completions=3, batch=4, key=1):
        return complete(model, tokenizer, END, prompts, completions, NEW, key, batch)

    return of


def test_as_many_as_asked_for(stories):
    result = stories()
    assert [story["beginning"] for story in result] == PROMPTS
    assert [len(story["completions"]) for story in result] == [3, 3, 3]
    texts = [entry["text"] for story in result for entry in story["completions"]]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("width, scale", [(16, 6), (144, 2)])  # the small models' kernel, and steps
def test_every_token_follows_the_beginning_and_the_tokens_before_it(
    model_settings, tokenizer, monkeypatch, width, scale
):
    """Each is the inverse CDF of its uniform under the full forward's distribution."""
    model = lively(initialise(replace(model_settings, hidden_size=width), 5), scale)
    kept = []
    monkeypatch.setattr(
        "ouroboros.sampling.completions._completion", lambda tokens, *_: kept.append(tokens) or {}
    )
    complete(model, tokenizer, END, PROMPTS, 2, NEW, 7, batch=6)
    for row, new in enumerate(kept):
        given = tokenizer.encode(PROMPTS[row // 2]).ids
        draws = uniforms(7, [row // 2 << 32 | row % 2], NEW)[0]
        ids = torch.tensor([[END, *given, *new[:-1].tolist()]])
        with torch.no_grad():
            cdf = model.logits(ids)[0, len(given) :].double().softmax(-1).cumsum(-1).numpy()
        for time, token in enumerate(new):
            assert cdf[time, token] > draws[time] - 1e-4
            assert token == 0 or cdf[time, token - 1] < draws[time] + 1e-4


def test_neither_batches_nor_more_completions_change_what_is_drawn(stories):
    whole = stories(batch="auto")
    assert stories(batch=2) == whole
    more = stories(completions=5, batch=7)
    assert [story["completions"][:3] for story in more] == [story["completions"] for story in whole]
    assert stories(key=2) != whole


def test_a_beginning_is_encoded_as_it_is_judged(stories):
    """Without surrounding spaces: they are tokens of their own, which the judge does not see."""
    spaced = stories(prompts=["Once upon a time Mia \n", "  Tom", PROMPTS[2]])
    assert spaced == stories()
    text = spaced[0]["completions"][0]["text"].strip()
    assert f"\n\n{PROMPTS[0]} *** {text}\n\n" in questions(spaced)[0][0]


def test_a_beginning_that_spells_out_a_special_token_does_not_end(model, tokenizer, monkeypatch):
    before = []
    draw = completions._complete
    monkeypatch.setattr(
        "ouroboros.sampling.completions._complete",
        lambda sampler, given, *others: before.extend(given) or draw(sampler, given, *others),
    )
    complete(model, tokenizer, END, ["Mia <|endoftext|> Tom"], 1, NEW, 1)
    assert END not in before[0]
    assert tokenizer.decode(before[0].tolist()) == "Mia <|endoftext|> Tom"


def test_the_end_of_text_ends_a_completion(tokenizer, model_settings):
    model = initialise(model_settings, 5)
    with torch.no_grad():
        model.ln_f.bias.copy_(3 * model.wte.weight[END] / model.wte.weight[END].norm() ** 2)
    story = complete(model, tokenizer, END, ["Tom"], 200, NEW, 1)[0]
    ended = [entry for entry in story["completions"] if entry["ended"]]
    assert 0 < len(ended) < 200
    assert any(entry["text"] == "" for entry in ended)
    assert not any("<|endoftext|>" in entry["text"] for entry in story["completions"])
    lengths = [len(tokenizer.encode(entry["text"]).ids) for entry in ended]
    assert np.mean(lengths) < NEW


def test_a_prompt_that_leaves_no_room_is_refused(stories):
    with pytest.raises(UserError, match=r"the model has 64 positions. Lower `new_tokens`"):
        stories(prompts=["Once upon a time " * 30])
