"""Definitions of collapse on made-up lineages: each flips its own verdict, and those that it implies."""

import re

import numpy as np
import pytest
from made_up import Course, made_up

from ouroboros.findings.profile import profile, profiles, scaling
from ouroboros.findings.results import Lineage
from ouroboros.findings.sentence import sentence
from ouroboros.findings.verdict import HOLDS, UNMEASURED

THRESHOLDS = {
    "catastrophic": 10, "diverging": 0.1, "variance": 0.5, "modes": 0.5, "tails": 0.5,
    "hallucinated": 0.1, "scaling": 0.05,
}  # fmt: skip
GENERATIONS = 13


def early(rise, loss=1.0):
    """A loss that has risen after the first third."""
    return lambda t: loss + rise * np.minimum(3 * t, 1)


def steady(rise, loss=1.0):
    return lambda t: loss + rise * t


def lineage(seed=0, generations=GENERATIONS, **courses):
    """Of a course that only ends differ of: a number is the last generation's."""
    starts = {"entropy": 5.0, "phrases": 1.0, "tails": 1.0, "hallucinated": 0.02}
    given = {
        name: of
        if callable(of)
        else lambda t, start=starts[name], end=of: start + t * (end - start)
        for name, of in courses.items()
    }
    return made_up(Course(**given), generations, seed)


@pytest.mark.parametrize(
    "changes, holding",
    [
        ({}, set()),
        ({"loss": early(0.5)}, {"any-increase"}),
        ({"loss": steady(0.5)}, {"any-increase", "diverging"}),
        ({"loss": early(3)}, {"any-increase", "catastrophic"}),
        ({"loss": steady(3)}, {"any-increase", "catastrophic", "diverging"}),
        ({"loss": steady(-0.5)}, set()),
        ({"entropy": 4.0}, {"variance"}),
        ({"phrases": 0.2}, {"modes"}),
        ({"tails": 0.2}, {"tails"}),
        ({"hallucinated": 0.8}, {"hallucinated"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_definition_flips_its_own_verdict_and_those_that_it_implies(changes, holding, seeds):
    runs = [Lineage(lineage(seed, **changes)) for seed in range(seeds)]
    found = profile(runs, ["mine"], THRESHOLDS)
    assert {of["id"] for of in found if of["verdict"] == HOLDS} == holding
    assert len(found) == 7 and all(of["evidence"] for of in found)


def test_what_is_missing_is_not_measured():
    measured = lineage()
    for of in measured.values():
        of.pop("support")
    found = {of["id"]: of for of in profile([Lineage(measured)], ["mine"], THRESHOLDS)}
    assert {id for id, of in found.items() if of["verdict"] == UNMEASURED} == {
        "modes",
        "hallucinated",
    }
    assert "no support.phrases_left" in found["modes"]["evidence"]


def test_a_lineage_of_few_generations_has_no_extrapolation():
    measured = {
        lm: of
        for lm, of in lineage(loss=steady(1)).items()
        if lm in ("gen0", "gen1", "gen2", "gen3")
    }
    found = {of["id"]: of["verdict"] for of in profile([Lineage(measured)], ["mine"], THRESHOLDS)}
    assert found["diverging"] == UNMEASURED and found["any-increase"] == HOLDS


@pytest.mark.parametrize("change, verdict", [(0.0, "does not hold"), (0.2, HOLDS), (-0.2, HOLDS)])
def test_a_scaling_law_that_changes(change, verdict):
    """Loss is N^-0.3 in generation 1, and N^-(0.3 - change) in the last."""
    sizes = [10**4, 10**5, 10**6]
    groups = []
    for size in sizes:
        loss = 50 * size**-0.3
        groups.append([Lineage(lineage(loss=steady(50 * size ** -(0.3 - change) - loss, loss)))])
    found = scaling(groups, ["a", "b", "c"], sizes, 0.05)
    assert found["verdict"] == verdict, found
    assert scaling(groups[:2], ["a", "b"], sizes[:2], 0.05)["verdict"] == UNMEASURED


def test_the_sentence_says_from_where_to_where_and_what_went_first():
    run = Lineage(lineage(loss=steady(2), phrases=0.0, tails=0.45))
    found = profile([run], ["mine"], THRESHOLDS)
    said = sentence(run, "mine", found, THRESHOLDS)
    assert said.startswith("mine: perplexity went from 2.67 to 19.6")
    assert (
        "in 13 generations, doubled by generation 6; what went first: the most frequent phrases, by generation 7"
        in said
    )
    assert "collapsed by 4 of the 7 definitions that were measured (p " in said
    large = sentence(Lineage(lineage(loss=steady(8))), "mine", [], THRESHOLDS)
    assert re.match(r"mine: perplexity went from 2.67 to \d?\d?\d,\d\d\d in", large)  # no 7.1e+03
    assert "by none of the 0" in large


def test_the_profile_of_a_group_has_a_sentence_for_each_lineage():
    measured = {"one": lineage(loss=steady(1)), "two": lineage()}
    found = profiles(measured, {"one": 10, "two": 20}, [["one"], ["two"]], THRESHOLDS)
    assert found["sentences"].keys() == {"one", "two"}
    assert [of["id"] for of in found["verdicts"]].count("any-increase") == 2
    assert found["verdicts"][-1]["id"] == "scaling"
