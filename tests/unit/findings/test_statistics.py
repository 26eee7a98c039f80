"""Statistics of trends against scipy, and by counting."""

from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy import stats

from ouroboros.findings.statistics import (
    critical_z,
    mann_kendall,
    sen_slope,
    sign_test,
    tau_deviation,
)

NOISE = np.random.default_rng(5).normal(size=60).tolist()


@pytest.mark.parametrize("n", [2, 3, 5, 10, 40])
def test_mann_kendall_against_scipy_exact(n):
    expected = stats.kendalltau(range(n), NOISE[:n], method="exact")
    found = mann_kendall(NOISE[:n])
    assert found.tau == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_mann_kendall_against_scipy_for_many_with_ties():
    values = [round(2 * x) for x in NOISE]
    expected = stats.kendalltau(range(60), values, method="asymptotic")
    found = mann_kendall(values)
    assert found.tau == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_mann_kendall_with_ties_against_counting_all_orders():
    for values in product(range(3), repeat=5):
        orders = [
            sum((b > a) - (b < a) for a, b in combinations(order, 2))
            for order in permutations(values)
        ]
        found = mann_kendall(list(values))
        expected = np.mean(np.abs(orders) >= abs(found.s))
        assert found.p_value == pytest.approx(expected)


def test_three_points_cannot_be_significant_five_can():
    assert mann_kendall([1, 2, 3]).p_value == pytest.approx(1 / 3)
    assert mann_kendall([1, 2, 3, 4, 5]).p_value == pytest.approx(2 / 120)
    assert [mann_kendall(values).p_value for values in ([], [1], [4, 4, 4])] == [1, 1, 1]


def test_sen_slope_and_sign_test_against_scipy():
    times = [1, 6, 11, 16, 21]
    assert sen_slope(times, NOISE[:5]) == pytest.approx(stats.theilslopes(NOISE[:5], times).slope)
    for positive, negative in ((0, 0), (3, 0), (7, 1), (2, 5)):
        n = positive + negative
        expected = stats.binomtest(positive, n).pvalue if n else 1
        assert sign_test(positive, negative) == pytest.approx(expected)


def test_critical_and_tau_deviation():
    assert critical_z(0.05, 4) == pytest.approx(stats.norm.isf(0.0125))
    taus = [mann_kendall(list(order)).tau for order in permutations(range(6))]
    assert tau_deviation(6) == pytest.approx(np.std(taus))
