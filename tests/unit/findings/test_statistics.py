"""Statistics of a trend against scipy, and on random walks that they have not seen."""

import numpy as np
import pytest
from scipy import stats

from ouroboros.findings.statistics import (
    _falls_from_peak,
    change,
    kendall,
    noise,
    p_of_fall,
    p_of_fall_from_peak,
    p_of_rise,
    slope,
)

WALKS = np.random.default_rng(98).standard_normal((400, 12)).cumsum(1)


def test_kendall_against_scipy():
    expected = [stats.kendalltau(range(12), walk).statistic for walk in WALKS[:20]]
    assert kendall(WALKS[:20]) == pytest.approx(expected)
    assert kendall(np.array([[1.0, 1.0, 2.0]]))[0] == pytest.approx(
        2 / 3
    )  # a tie counts as neither


@pytest.mark.parametrize("p_of", [p_of_rise, p_of_fall, p_of_fall_from_peak])
@pytest.mark.parametrize("level", [0.05, 0.2, 0.5])
def test_as_many_random_walks_are_below_p_as_p_says(p_of, level):
    """Whatever their scale and where they begin."""
    below = sum(p_of((100 + 7 * walk).tolist()) < level for walk in WALKS)
    assert stats.binomtest(below, len(WALKS), level).pvalue > 0.01


def test_a_rise_is_a_fall_upside_down():
    walk = WALKS[0].tolist()
    assert p_of_rise(walk) == p_of_fall([-value for value in walk])


def test_the_least_p_is_not_zero():
    assert 0 < p_of_rise(list(range(40))) < 1e-4
    assert p_of_rise(list(range(40, 0, -1))) > 0.9
    assert [p_of_rise(values) for values in ([], [1], [1, 2])] == [1, 1, 1]
    assert p_of_rise([4.0] * 9) > 0.5 < p_of_fall_from_peak([4.0] * 9)


def test_the_mean_step_alone_and_the_order_alone_show_a_rise():
    """Steep steps whatever their order; and noise that rises, whose steps are mostly noise."""
    jumps = np.cumsum([1, 0.9, 1.1, 1, 0.8, 1.2]).tolist()
    noisy = (np.linspace(0, 12, 40) + np.random.default_rng(1).standard_normal(40)).tolist()
    assert p_of_rise(jumps) < 0.05 and p_of_rise(noisy) < 0.05
    steps = np.diff(noisy)
    assert stats.ttest_1samp(steps, 0, alternative="greater").pvalue > 0.05


def test_a_fall_from_the_peak_wherever_it_is():
    assert p_of_fall_from_peak([1, 2, *np.linspace(1.9, 0, 38)]) < 0.01
    assert p_of_fall_from_peak([*range(20), *range(18, 8, -1)]) < 0.01
    assert (
        p_of_fall_from_peak(list(range(20))) == 1
    )  # a walk that ends at its peak falls by nothing


@pytest.mark.parametrize("walk", [[0.0, 3.0, 1.0, 0.5, 0.9], [0.0, 1.0, 2.5, 3.0, 1.0]])
def test_a_fall_by_hand(walk):
    """The fall over the deviation of the steps from the mean step of their own side of the peak."""
    top = int(np.argmax(walk))
    sides = (np.diff(walk[: top + 1]), np.diff(walk[top:]))
    squares = sum(((steps - steps.mean()) ** 2).sum() for steps in sides)
    statistic = _falls_from_peak(np.array([walk]))[0]
    assert statistic == pytest.approx((walk[top] - walk[-1]) / np.sqrt(squares))


def test_change_and_slope_by_hand():
    assert change([1.0, 2.0, 4.0]) == (3.0, pytest.approx(np.std([1, 2], ddof=1) * np.sqrt(2)))
    assert slope([1, 6, 11], [0.0, 5.0, 10.0]) == pytest.approx(1.0)


@pytest.mark.parametrize("count", [5, 20])
def test_noise_around_a_smooth_course(count):
    """Its square is right on average, and as sure as its degrees of freedom say: of chi-square, variance 2 / freedom."""
    rng = np.random.default_rng(0)
    course = np.log1p(np.linspace(0, 1, count))
    found = [noise(list(course + 0.3 * rng.standard_normal(count))) for _ in range(2000)]
    squares, freedoms = np.array(found).T
    assert (squares**2).mean() == pytest.approx(0.3**2, rel=0.06)
    assert (squares**2).var() / 0.3**4 == pytest.approx(2 / freedoms[0], rel=0.25)
    assert noise([1.0, 2.0]) == (0.0, np.inf)
