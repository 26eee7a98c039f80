"""Verdicts on series whose trend is known."""

import pytest
from lineages import series

from ouroboros.findings.trend_tests import above, rises_always, rises_then_falls, stays, trend
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN


@pytest.mark.parametrize(
    ("values", "up", "down"),
    [
        (range(5), CONFIRMED, CONTRADICTED),
        (range(4), OPEN, OPEN),
        (range(3), OPEN, OPEN),
        ([], OPEN, OPEN),
        ([0, 1] * 4, OPEN, OPEN),  # no trend, but eight could hide one
        ([0, 1, 1, 0] * 10, CONTRADICTED, CONTRADICTED),  # forty without a trend
    ],
)
def test_trend(values, up, down):
    assert trend(series(values), 1)["verdict"] == up
    assert trend(series(values), -1)["verdict"] == down


def test_a_significant_fall_contradicts_a_monotonous_rise():
    values = [1, 2, 3, 4, 3.9, 6, 7, 8]
    assert rises_always(series(values, 0.1))["verdict"] == CONFIRMED
    result = rises_always(series(values, 0.01))
    assert result["verdict"] == CONTRADICTED
    assert (result["values"]["falls"], result["values"]["significant_falls"]) == (1, 1)
    # two standard errors of the difference: with seven steps that is nothing
    assert rises_always(series(values, 0.1 / 8**0.5))["verdict"] == CONFIRMED
    assert rises_always(series(values))["values"]["significant_falls"] == 0
    assert rises_always(series([1, 2, 3], 0.01))["verdict"] == OPEN


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([*range(25), *range(23, 8, -1)], CONFIRMED),  # the paper's figure 2
        ([*range(6), *range(4, -1, -1)], CONFIRMED),
        ([*range(6), 4, 3, 2, 1], OPEN),  # four after the peak are too few
        ([*range(5), *range(3, -2, -1)], OPEN),  # four before it; the peak counts on no side
        ([*range(39)], OPEN),  # may still fall
        ([*range(40)], CONTRADICTED),
        ([*range(8, 0, -1)], CONTRADICTED),  # falls from the beginning
        ([3, 2, 1], OPEN),
        ([*range(20), 99, *[5, 6, 6, 5] * 4], CONTRADICTED),  # no fall after the peak
    ],
)
def test_rises_then_falls(values, verdict):
    assert rises_then_falls(series(values), 40)["verdict"] == verdict


def test_stays():
    assert stays(series([0, 1, 1, 0] * 5))["verdict"] == CONFIRMED
    assert stays(series(range(20)))["verdict"] == CONTRADICTED
    assert stays(series(range(20, 0, -1)))["verdict"] == CONTRADICTED
    assert stays(series(range(20, 0, -1)), may_fall=True)["verdict"] == CONFIRMED
    assert stays(series([1, 1, 1]))["verdict"] == OPEN


def test_above():
    assert above(series([1] * 6))["verdict"] == CONFIRMED
    assert above(series([1] * 5))["verdict"] == OPEN
    assert above(series([1] * 6), level=2)["verdict"] == CONTRADICTED
    assert above(series([1] * 20 + [-0.1], 0.1))["verdict"] == CONFIRMED
    assert above(series([1] * 20 + [-0.1], 0.01))["verdict"] == CONTRADICTED
