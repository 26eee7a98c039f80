"""`start` and `initial_model` of a lineage, in the configuration."""

import copy

import pytest
from tools import CONFIG, SCHEMA

from ouroboros.config.resolve import resolve
from ouroboros.config.start import start_in_words
from ouroboros.errors import UserError


def lineage(**entry):
    config = copy.deepcopy(CONFIG)
    config["models"]["bigrams"] = {"family": "ngram", "order": 2}
    config["training"]["once"] = {"batch": 1, "learning_rate": 1.0, "epochs": 1}
    config["lineages"]["mine"] = {"like": "demo", **entry}
    return resolve(config, SCHEMA)["lineages"]["mine"]


@pytest.mark.parametrize("entry", [{}, {"start": "scratch"}])
def test_random_weights_leave_no_key(entry):
    """So that the lineage is compared, and its jobs are known, as before there were these keys."""
    assert not {"start", "initial_model"} & lineage(**entry).keys()


def test_an_initial_model_is_begun_with_unless_said_otherwise():
    assert lineage(initial_model="owner/name")["start"] == "initial"
    assert lineage(initial_model="owner/name", start="previous")["start"] == "previous"
    assert "start" not in lineage(initial_model="owner/name", start="scratch")
    assert lineage(start="previous").keys() & {"start", "initial_model"} == {"start"}


@pytest.mark.parametrize(
    "entry, said",
    [
        ({"start": "initial"}, "`start: initial` needs a model to begin with"),
        ({"start": "end"}, "not one of scratch, initial, previous"),
        ({"model": "bigrams", "training": "once", "start": "previous",
          "overrides": {"evaluation": {"classification": {"tasks": []}}}}, "begins with nothing"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(entry, said):
    with pytest.raises(UserError, match=said):
        lineage(**entry)


@pytest.mark.parametrize(
    "entry, said",
    [
        ({}, None),
        (
            {"start": "previous"},
            "Generation 1 begins with random weights, and each later one with those of the generation before.",
        ),
        (
            {"initial_model": "owner/name"},
            "Each generation begins with the weights of owner/name, which is the baseline.",
        ),
        (
            {"initial_model": "owner/name", "start": "previous"},
            "Generation 1 begins with the weights of owner/name, which is the baseline, and each later one "
            "with those of the generation before.",
        ),
        (
            {"initial_model": "owner/name", "start": "scratch"},
            "The baseline is owner/name; each generation begins with random weights.",
        ),
    ],
)
def test_what_a_report_says(entry, said):
    assert start_in_words(lineage(**entry)) == said
