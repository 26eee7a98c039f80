"""Verdicts on values at, near and above a level."""

from lineages import series

from ouroboros.findings.level_tests import better, ends_no_better, never_better
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN


def test_better():
    def verdict(first, second, error=0.01):
        return better(series([first], error), series([second], error))["verdict"]

    assert verdict(0.6, 0.5) == CONFIRMED
    assert verdict(0.5, 0.6) == CONTRADICTED
    assert verdict(0.51, 0.5) == OPEN
    assert verdict(0.5, 0.5, error=0) == OPEN


def test_ends_no_better():
    def verdict(value, generation, error=0.01):
        last = series([value], error, first=generation)
        return ends_no_better(last, series([0.5], error), 0.05, 40)["verdict"]

    assert verdict(0.50, 8) == CONFIRMED
    assert verdict(0.60, 8) == OPEN  # better, and may still fall
    assert verdict(0.60, 40) == CONTRADICTED
    assert verdict(0.52, 40, error=0.1) == OPEN  # too rough to tell


def test_never_better():
    def verdict(values, error):
        return never_better(series(values, error), 0.5, 0.0, 0.05)["verdict"]

    assert verdict([0.5, 0.51, 0.49], 0.01) == CONFIRMED
    assert verdict([0.5, 0.55, 0.49], 0.01) == CONTRADICTED
    # 0.523 is 2.3 standard errors above: with 40 looks that is nothing
    assert verdict([0.523] + [0.5] * 39, 0.01) == CONFIRMED
    assert verdict([0.523], 0.01) == CONTRADICTED
    assert verdict([0.5], 0.05) == OPEN
