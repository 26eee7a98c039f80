"""Estimates of one lineage and of several."""

import math

import numpy as np
import pytest
from scipy import stats

from ouroboros.findings.estimates import Estimate, combine


def test_p_values_against_scipy():
    assert Estimate(1.0, 0.5).p_above() == pytest.approx(stats.norm.sf(2))
    assert Estimate(1.0, 0.5).p_below(2.0) == pytest.approx(stats.norm.sf(2))
    assert Estimate(1.0, 0.5, 2).p_above(0.5) == pytest.approx(stats.t.sf(1, 2))
    assert (Estimate(1.0, 0.0).p_above(), Estimate(0.0, 0.0).p_above()) == (0, 1)


def test_several_without_errors_are_a_t_test():
    values = [0.3, 0.5, 1.1, 0.2]
    found = combine([Estimate(value, 0.0) for value in values])
    expected = stats.ttest_1samp(values, 0, alternative="greater")
    assert found.p_above() == pytest.approx(expected.pvalue)


def test_the_error_of_what_lineages_share_stays():
    """Measured on the same examples, a thousand lineages know no more than one."""
    alike = combine([Estimate(1.0, 0.2)] * 1000)
    assert (alike.error, alike.freedom) == (pytest.approx(0.2), math.inf)
    values = np.array([0.9, 1.1, 1.3])
    found = combine([Estimate(value, 0.2) for value in values])
    assert found.error == pytest.approx(math.sqrt(values.var(ddof=1) / 3 + 0.04))
    assert 2 < found.freedom < math.inf
    assert combine([Estimate(1.0, 0.2)]) == Estimate(1.0, 0.2)
