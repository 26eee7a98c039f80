"""Choosing settings for a given time: a preference order, on costs that are known by hand."""

import dataclasses

import pytest

from ouroboros.errors import UserError
from ouroboros.planning.fit import (
    AIM,
    Choice,
    batch_for,
    budget_seconds,
    fit,
    given_up,
    ladder,
    largest,
    up_to,
)

OWN = {"layers": 8, "hidden_size": 64, "heads": 16, "window": 16, "context": 32, "positions": 64,
       "initial_std": 0.02}  # fmt: skip
PRICES = {"own": 10.0, "big": 30.0, "middle": 6.0, "small": 2.0}  # seconds of 100 sequences
CONFIGURED = Choice("own", 1000, 40, 8)


def seconds(choice):
    """A tenth of a generation's price is fixed; so are 20 s of the run."""
    each = PRICES[choice.model] * choice.sequences / 100
    return 20 + choice.generations * (each + PRICES[choice.model] / 10)


def fitted(
    budget, configured=CONFIGURED, models=tuple(PRICES), shards=1, guess=seconds, longest=40
):
    planned = []

    def plan(choice):
        planned.append(choice.model)
        return seconds(choice)

    found = fit(budget, configured, list(models), shards, guess, plan, longest)
    assert seconds(found) <= AIM * budget
    return found, set(planned)


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("20m", 1200), ("2h", 7200), ("1.5d", 129_600)]
)
def test_a_duration(text, expected):
    assert budget_seconds(text) == expected


def test_all_of_it_with_the_largest_model_that_ends_in_time():
    """own takes 20 + 40 * 101 s, middle 20 + 40 * 60.6, big three times as long as own."""
    assert fitted(4060 / AIM)[0] == CONFIGURED
    assert fitted(4059 / AIM)[0] == dataclasses.replace(CONFIGURED, model="middle")
    assert fitted(1e6)[0].model == "big"


def test_time_to_spare_goes_into_generations_that_have_real_text():
    few = dataclasses.replace(CONFIGURED, generations=5)
    assert fitted(1e6, few)[0].generations == 40
    assert fitted(1e6, few, longest=12)[0].generations == 12


@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_few_models_are_measured_however_wrong_arithmetic_is(factor):
    found, measured = fitted(2800, guess=lambda choice: factor * seconds(choice))
    assert found.model == "middle" and len(measured) <= 3


def test_then_generations_are_fewer_down_to_ten():
    """small takes 20 + 40 * 20.2 s."""
    found, _ = fitted(600)
    assert found == Choice("small", 1000, int((AIM * 600 - 20) / 20.2), 8)
    assert fitted(223 / AIM)[0].generations == 10


def test_then_sequences_of_equal_shards():
    found, _ = fitted(120, shards=4)
    most = ((AIM * 120 - 20) / 10 - 0.2) / 2 * 100
    assert found.generations == 10 and most - 4 < found.sequences <= most
    assert found.sequences % 4 == 0


def test_then_generations_again_down_to_one():
    """A tenth of the sequences takes 2.2 s a generation."""
    assert fitted(27 / AIM)[0] == Choice("small", 100, 3, 8)
    assert fitted(22.3 / AIM)[0].generations == 1


def test_a_time_too_short_for_one_generation_says_which_is_not():
    with pytest.raises(UserError, match="takes 22 s here.*within 24 s.*to ask for is 25s"):
        fitted(24)
    assert fitted(25)[0].generations == 1


def test_time_to_spare_goes_into_generations_up_to_the_papers():
    few = dataclasses.replace(CONFIGURED, generations=8)
    assert fitted(2000, few, ["own"])[0].generations == int((AIM * 2000 - 20) / 101)
    assert fitted(1e6, few, ["own"])[0].generations == 40
    many = dataclasses.replace(CONFIGURED, generations=60)
    assert fitted(1e6, many, ["own"])[0].generations == 60


@pytest.mark.parametrize(
    ("sequences", "configured", "batch"),
    [(32_000, 320, 320), (31_999, 320, 256), (1000, 320, 8), (150, 320, 4), (1000, 4, 4), (100, 2, 2)],
)  # fmt: skip
def test_a_batch_leaves_enough_updates_in_an_epoch(sequences, configured, batch):
    assert batch_for(sequences, configured) == batch


def test_no_model_is_larger_than_the_corpus_can_teach():
    models = ladder(OWN, 300_000)
    sizes = [12 * model["layers"] * model["hidden_size"] ** 2 for model in models.values()]
    assert max(sizes) == 221_184 and sizes == sorted(sizes)
    assert list(ladder(OWN, 10)) == ["fit-64x2"]
    assert all(model["hidden_size"] % model["heads"] == 0 for model in ladder(OWN, 10**9).values())
    assert models["fit-64x2"] == {**OWN, "layers": 2, "heads": 4}


def test_jobs_of_later_generations_are_left_out():
    jobs = [{"wildcards": wildcards} for wildcards in (
        {}, {"lm": "baseline"}, {"lm": "gen2"}, {"n": "3"}, {"lm": "gen4"},
    )]  # fmt: skip
    assert up_to(jobs, 3) == jobs[:4]


def test_what_is_given_up_is_said():
    sizes = {"own": 400, "small": 100}
    said = " ".join(given_up(CONFIGURED, Choice("small", 250, 10, 4), 1000, sizes))
    for words in ("smaller model: 100", "10 instead of 40", "25% of", "batch of 4 instead of 8"):
        assert words in said
    assert given_up(CONFIGURED, CONFIGURED, 1000, sizes) == []


def test_the_largest_number():
    assert [largest(1, 10, lambda n, most=most: n <= most) for most in (1, 7, 10, 99)] == [
        1,
        7,
        10,
        10,
    ]
