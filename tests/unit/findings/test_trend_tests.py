"""Verdicts on series whose trend is known."""

import numpy as np
import pytest
from lineages import series
from scipy import stats

from ouroboros.findings.statistics import p_of_rise
from ouroboros.findings.trend_tests import falls_from_peak, rises_then_falls, stays, trend
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN

NOISE = np.random.default_rng(3)


@pytest.mark.parametrize(
    ("values", "up", "down"),
    [
        (range(5), CONFIRMED, CONTRADICTED),
        ([1, 2.5, 3.1, 4.4, 5.2, 6.9, 7.5, 9], CONFIRMED, CONTRADICTED),
        ([1, 2], OPEN, OPEN),
        ([], OPEN, OPEN),
        ([0, 1] * 20, OPEN, OPEN),  # forty without a trend
        ([0, 1, 3, 2, 2.5, 4, 3, 5] + [4] * 32, OPEN, OPEN),
        ([3] * 8, OPEN, OPEN),
    ],
)
def test_trend(values, up, down):
    assert trend([series(values)], 1)["verdict"] == up
    assert trend([series(values)], -1)["verdict"] == down


def test_a_fall_to_a_plateau_is_never_contradicted():
    for _ in range(20):
        values = [0.9, 0.8, 0.7, *(0.6 + 0.01 * NOISE.standard_normal(37))]
        assert trend([series(values)], -1)["verdict"] != CONTRADICTED


def test_a_rise_of_one_deviation_is_never_contradicted():
    for _ in range(20):
        values = np.linspace(0, 1, 40) + NOISE.standard_normal(40)
        assert trend([series(values)], 1)["verdict"] != CONTRADICTED


def test_an_open_trend_says_that_seeds_could_decide_it():
    found = trend([series([1, 2, 1, 2])], 1)
    assert "seeds: [1, 2, 3]" in found["explanation"]
    assert "seeds" not in trend([series(range(9))], 1)["explanation"]


def test_seeds_by_their_slopes():
    """A rise in noise that no single lineage shows; slopes that differ too much; the opposite."""
    runs = [series(np.linspace(0, 3, 40) + NOISE.standard_normal(40)) for _ in range(3)]
    assert [trend([run], 1)["verdict"] for run in runs] == [OPEN] * 3
    found = trend(runs, 1)
    assert found["verdict"] == CONFIRMED and "3 seeds" in found["statistic"]
    slopes = [np.polyfit(range(40), run.values, 1)[0] for run in runs]
    assert found["values"]["slopes"] == pytest.approx(slopes)
    assert trend(runs, -1)["verdict"] == CONTRADICTED
    turned = [runs[0], runs[1], series([-value for value in runs[2].values])]
    assert trend(turned, 1)["verdict"] == OPEN


def test_seeds_that_are_each_confirmed_are_confirmed():
    """Of slopes 1, 2 and 30 the t-test alone cannot say that they are above 0."""
    runs = [series([slope * n for n in range(8)]) for slope in (1, 2, 30)]
    assert trend(runs, 1)["verdict"] == CONFIRMED


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([*range(25), *range(23, 8, -1)], CONFIRMED),  # the paper's figure 2
        ([1, 2, *np.linspace(1.9, 0, 38)], CONFIRMED),  # the peak is generation 2
        ([*range(6), *range(4, -1, -1)], CONFIRMED),
        ([*range(20), 18, 19, 18.5, 19, 18.2, 18.8], OPEN),  # no fall after the peak
        ([*range(39)], OPEN),  # may still fall
        ([*range(40)], CONTRADICTED),
        ([*range(8, 0, -1)], CONTRADICTED),  # falls from the beginning
        ([2, 2.01, *np.linspace(1.9, 0, 38)], OPEN),  # the rise is less than its error
        ([2.01, 2, *np.linspace(1.9, 0, 38)], OPEN),  # and so is the first's height
        ([3, 2], OPEN),
    ],
)
def test_rises_then_falls(values, verdict):
    assert rises_then_falls([series(values, 0.05)], 40)["verdict"] == verdict


def test_a_rise_needs_its_errors():
    found = rises_then_falls([series([*range(25), *range(23, 8, -1)])], 40)
    assert found["verdict"] == OPEN and "error is not measured" in found["explanation"]


def test_a_rise_and_fall_of_seeds():
    """Small in the noise of each, found in three; a rise alone is not taken for both."""
    tent = 10 * (1 - abs(np.linspace(-1, 1, 40)))
    runs = [series(tent + NOISE.standard_normal(40)) for _ in range(3)]
    assert rises_then_falls(runs, 40)["verdict"] == CONFIRMED
    assert falls_from_peak(runs) in range(17, 25)
    rising = [series(np.linspace(0, 10, 39) + NOISE.standard_normal(39)) for _ in range(3)]
    assert rises_then_falls(rising, 40)["verdict"] == OPEN
    assert falls_from_peak(rising) is None


def test_stays():
    calm = series([0.5, 0.51, 0.51, 0.5] * 2)
    assert stays([calm], 0.1)["verdict"] == CONFIRMED
    assert stays([calm], 0.001)["verdict"] == OPEN
    up, down = series(range(20)), series(range(20, 0, -1))
    assert stays([up], 0.1)["verdict"] == stays([down], 0.1)["verdict"] == CONTRADICTED
    assert stays([up], 100)["verdict"] == CONFIRMED  # rises, but by less than the margin
    assert stays([up], 0.1, may_fall=True)["verdict"] == CONTRADICTED
    assert stays([down], 0.1, may_fall=True)["verdict"] == CONFIRMED
    few = stays([series([1, 1])], 0.1)
    assert few["verdict"] == OPEN and few["p_value"] == 1 and "too few" in few["explanation"]
    assert "too few" not in stays([series([1, 1, 1])], 0.1)["explanation"]


def test_a_change_is_tested_on_both_sides():
    """A p of .0179 for the rise alone is .036 for a change: 2 of them, and not 3, are below .05."""
    values = next(
        walk for walk in NOISE.standard_normal((5000, 12)).cumsum(1).tolist()
        if 0.0175 < p_of_rise(walk) < 0.0225
    )  # fmt: skip
    assert stays([series(values)], 1e-6)["verdict"] == CONTRADICTED


def test_each_seed_is_measured_at_the_peak_of_the_others():
    """By hand, t-test over the seeds; p is doubled (see the docstring of the function)."""
    tent = 2 * (1 - abs(np.linspace(-1, 1, 30)))
    values = tent + NOISE.standard_normal((3, 30))
    rises, falls = [], []
    for seed in range(3):
        top = np.delete(values, seed, 0).mean(0).argmax()
        rises.append(values[seed, top] - values[seed, 0])
        falls.append(values[seed, top] - values[seed, -1])
    p = max(stats.ttest_1samp(of, 0, alternative="greater").pvalue for of in (rises, falls))
    found = rises_then_falls([series(of) for of in values], 40)
    assert found["p_value"] == pytest.approx(min(1, 2 * p))


def test_seeds_decide_what_stays():
    runs = [series(0.5 + 0.01 * NOISE.standard_normal(40)) for _ in range(3)]
    assert stays(runs[:1], 0.05)["verdict"] == OPEN
    assert stays(runs, 0.05)["verdict"] == CONFIRMED
    assert stays(runs, 0.001)["verdict"] == OPEN
