"""Verdicts on values at, near and above a level."""

import math

import numpy as np
import pytest

from ouroboros.findings.estimates import Estimate
from ouroboros.findings.level_tests import (
    better,
    ends_no_better,
    every_above,
    mean_of,
    never_better,
    some_above,
    within,
)
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN


def estimates(values, error):
    return {f"gen{n}": Estimate(value, error) for n, value in enumerate(values)}


def steps(values, error):
    return every_above(estimates(np.diff(values), error), "perplexity", "rises")


def test_every_step_must_rise_significantly():
    assert steps(range(40), 0.4)["verdict"] == CONFIRMED  # 2.5 errors each
    assert steps([0, 1, 2, 2.1, 3.1], 0.4)["verdict"] == OPEN
    none = every_above({}, "perplexity", "rises")
    assert none["verdict"] == OPEN and none["p_value"] == 1


def test_a_saw_that_rises_is_not_confirmed():
    """Twenty of 39 steps fall: by half an error each, which contradicts nothing."""
    saw = np.arange(40) + np.tile([0, -1.5], 20)
    found = steps(saw, math.sqrt(2))
    assert found["verdict"] == OPEN
    assert "rises in 19 of 39, significantly in 19" in found["explanation"]


def test_a_significant_fall_contradicts_every():
    """Three falls of 6% with a paired error of 1.6%; one of two errors, of 39 looked at, does not."""
    values = np.full(39, 0.1)
    values[[5, 9, 30]] = -0.06
    found = every_above(estimates(values, 0.016), "perplexity", "rises")
    assert found["verdict"] == CONTRADICTED
    assert "significantly not in 3 (gen5, gen9, gen30)" in found["explanation"]
    values[[5, 9, 30]] = 0.1, 0.1, -0.032
    assert every_above(estimates(values, 0.016), "perplexity", "rises")["verdict"] == OPEN


def test_some_generation():
    assert some_above(estimates([-1, -2, 0.6], 0.1), "x")["verdict"] == CONFIRMED
    # two errors, of forty looked at, are nothing
    assert some_above(estimates([0.2] + [-0.1] * 39, 0.1), "x")["verdict"] == OPEN
    below = some_above(estimates([-1] * 40, 0.1), "x")
    assert below["verdict"] == CONTRADICTED and below["p_value"] == 1
    assert some_above(estimates([0.6, 0], 0.1), "x")["values"]["positive"] == 1  # 0 is not above


def test_better():
    def verdict(difference, error=0.014):
        return better(Estimate(difference, error), "x")["verdict"]

    assert verdict(0.1) == CONFIRMED
    assert verdict(-0.1) == CONTRADICTED
    assert verdict(0.01) == OPEN
    assert verdict(0.0, error=0) == OPEN


def test_ends_no_better():
    def verdict(difference, generation, error=0.014):
        found = ends_no_better(Estimate(difference, error), "x", 0.05, generation, 40)
        return found["verdict"]

    assert verdict(0.0, 8) == CONFIRMED
    assert verdict(0.1, 8) == OPEN  # better, and may still fall
    assert verdict(0.1, 40) == CONTRADICTED
    assert verdict(0.02, 40, error=0.14) == OPEN  # too rough to tell


def test_never_better():
    def verdict(values, error):
        mean = Estimate(sum(values) / len(values), error)
        return never_better(estimates(values, error), mean, "x", 0.05)["verdict"]

    assert verdict([0, 0.01, -0.01], 0.01) == CONFIRMED
    assert verdict([0, 0.05, -0.01], 0.01) == CONTRADICTED
    # 0.023 is 2.3 errors above: with 40 looks that is nothing
    assert verdict([0.023] + [0] * 39, 0.01) == CONFIRMED
    assert verdict([0.023], 0.01) == CONTRADICTED
    assert verdict([0], 0.05) == OPEN


def test_within():
    def verdict(value, error=0.03):
        return within(Estimate(value, error), 0.35, 0.65, "x")["verdict"]

    assert verdict(0.5) == CONFIRMED
    assert verdict(0.3, 0.01) == verdict(0.7, 0.01) == CONTRADICTED
    assert verdict(0.62) == verdict(0.5, 0.2) == OPEN


def test_a_shared_error_does_not_shrink_in_a_mean():
    found = mean_of([Estimate(1, 0.5), Estimate(3, 0.5)], [0.3, 0.3])
    assert found.value == 2
    assert found.error == pytest.approx(math.sqrt(0.3**2 + 0.4**2 / 2))
