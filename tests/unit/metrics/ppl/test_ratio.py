"""A ratio's standard error: against the mean's where units are equal, and by hand where they are not."""

import math

import numpy as np
import pytest

from ouroboros.metrics.ppl.ratio import ratio


def test_units_of_one_are_a_mean_with_its_standard_error():
    values = np.array([1.0, 4.0, 2.0, 9.0])
    mean, error = ratio(values, np.ones(4, int))
    assert mean == 4.0
    assert error == pytest.approx(values.std(ddof=1) / math.sqrt(4))


def test_unequal_units_by_hand():
    mean, error = ratio(np.array([1.0, 8.0]), np.array([1, 2]))
    assert (mean, error) == (3.0, pytest.approx(math.sqrt((4 + 4) * 2) / 3))


def test_one_unit_has_no_error():
    assert ratio(np.array([6.0]), np.array([4])) == (1.5, None)
