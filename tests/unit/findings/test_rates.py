"""How often each kind of statement, and each definition of collapse, gets a wrong verdict; the benchmarks with fewer series."""

import runpy
import sys

import pytest
from tools import REPOSITORY

CASES = 100


def benchmark(name):
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    try:
        yield runpy.run_path(str(REPOSITORY / f"benchmarks/{name}.py"))
    finally:
        sys.path.remove(str(REPOSITORY / "benchmarks"))


@pytest.fixture(scope="module")
def verdicts():
    yield from benchmark("verdicts")


@pytest.fixture(scope="module")
def collapse():
    yield from benchmark("collapse")


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("noise", ["iid", "random walk"])
def test_a_verdict_is_wrong_in_a_twentieth_of_cases_at_most(verdicts, noise, seeds):
    """At most 12 of 100, which a rate of .05 passes in all but .3% of samples."""
    phi = verdicts["NOISES"][noise]
    for kind in verdicts["KINDS"]:
        rates = verdicts["false_verdicts"](kind, phi, 8, seeds, CASES)
        assert max(rates) <= 0.12, (kind.name, rates)


def test_what_is_there_is_found(verdicts):
    """A clear trend, of one lineage; a weak one, of three."""
    kinds = {kind.name: kind for kind in verdicts["KINDS"]}
    powers = {power.name: power for power in verdicts["POWERS"]}
    for name, seeds in (("a rise of 10 deviations", 1), ("a rise of 5 deviations", 3)):
        truth = powers[name].truth
        confirmed, _ = verdicts["rates"](kinds["rises"], truth, 0.0, 8, seeds, CASES)
        assert confirmed > 0.7


@pytest.mark.parametrize("seeds, noise", [(1, "own"), (3, "own"), (1, "none")])
def test_a_definition_of_collapse_is_wrong_in_a_twentieth_of_cases_at_most(collapse, noise, seeds):
    """At most 8 of 60, which a rate of .05 passes in all but .3% of samples."""
    for definition, (border, beyond) in collapse["courses"](10).items():
        wrong = collapse["verdicts"](definition, border, 10, seeds, noise, 60)
        for verdict in ("holds", "does not hold"):
            assert wrong.count(verdict) <= 8, (definition, verdict)
        right = collapse["verdicts"](definition, beyond, 10, seeds, noise, 10)
        assert right.count("holds") >= 8, definition
