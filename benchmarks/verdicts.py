"""How often verdicts are wrong, and how often they find what is there, on simulated series.

    python benchmarks/verdicts.py                  # the tables of docs/findings.md
    python benchmarks/verdicts.py --series 200     # quicker and rougher

Each row is a kind of statement, tested as the claims of findings/claims.py test theirs. `False
verdicts` simulates what makes the verdict wrong, or the border of that: no trend, no difference, or a
difference as large as the margin. `Power` simulates what the verdict is to find.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sides

from ouroboros.findings.estimates import Estimate, combine
from ouroboros.findings.level_tests import (
    better,
    ends_no_better,
    every_above,
    mean_of,
    never_better,
    some_above,
    within,
)
from ouroboros.findings.series import Series
from ouroboros.findings.trend_tests import falls_from_peak, rises_then_falls, stays, trend
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN
from ouroboros.storage.markdown import table

NOISES = {"iid": 0.0, "AR .5": 0.5, "AR .9": 0.9, "random walk": 1.0}
LENGTHS = (8, 20, 40)
SEEDS = (1, 3)
MARGIN = 1.0  # of tests against a margin; noises have deviations of 0.1 there
LAST = 40  # the paper's last generation


PAGE = sides.REPOSITORY / "docs/findings.md"
MARK = "<!-- from here on written by benchmarks/verdicts.py -->\n"
PAGE_END = """
Shares of {count} simulated cases: false confirmations, then false contradictions. Simulated is what makes the verdict
wrong, or the border of that: no trend, no difference, or one as large as the margin. In the statements about differences the
noise is that of the measurement, whose standard error is known and which seeds share; seeds have as large a noise of
their own beside it. By chance, a rate of .05 is found as one from {low:.3f} to {high:.3f} in 99% of simulations.

{false}
## Power

Shares of {count} simulated cases in which a true statement is confirmed. Deviations are those of the noise (of a
random walk, of its steps).

{power}"""


class Kind(NamedTuple):
    """A kind of statement. `test` takes runs: values (seeds, generations), and their errors of that shape.

    `confirming` and `contradicting`: what is true, by generation in units of 0 to 1, where the verdict would be
    wrong. `noise`: its deviation. `measured`: it is that of the measurement, whose deviation is known as the
    standard error, and which seeds share, being measured on the same examples; each of several seeds
    has as large a noise of its own beside it, which nothing states.
    """

    name: str
    test: Callable[[np.ndarray, np.ndarray], dict]
    confirming: Callable[[np.ndarray], np.ndarray]
    contradicting: Callable[[np.ndarray], np.ndarray]
    noise: float = 1.0
    measured: bool = False


def series_of(values, errors=None):
    """A series of each run."""
    generations = list(range(1, values.shape[1] + 1))
    return [
        Series("x", generations, list(run), None if errors is None else list(of))
        for run, of in zip(values, values if errors is None else errors, strict=True)
    ]


def estimates_of(values, errors):
    """The estimate of every generation, over the runs."""
    return {
        f"gen{n}": combine(list(map(Estimate, values[:, n], errors[:, n])))
        for n in range(values.shape[1])
    }


def after_peak(values, errors):
    """A trend where another series, a random walk of the same length, falls."""
    other = np.random.default_rng(int(1e6 * abs(values[0, 0]))).standard_normal(values.shape)
    peak = falls_from_peak(series_of(other.cumsum(1)))
    if peak is None:
        return {"verdict": OPEN}
    return trend([run.where(lambda n: n >= peak) for run in series_of(values)], 1)


def never(values, errors):
    """Errors are half shared by all generations, as those of the same examples are."""
    means = [
        mean_of(list(map(Estimate, run, of)), list(of / np.sqrt(2)))
        for run, of in zip(values, errors, strict=True)
    ]
    return never_better(estimates_of(values, errors), combine(means), "x", MARGIN)


def last_of(values, errors):
    return list(estimates_of(values, errors).values())[-1]


def flat(times):
    return 0 * times


def raised(times):
    """Above the level by the margin."""
    return 0 * times + MARGIN


def rising(times):
    """Rises by the margin from first to last."""
    return MARGIN * times


KINDS = [
    Kind("rises", lambda x, e: trend(series_of(x), 1), flat, flat),
    Kind("rises, where another measurement falls", after_peak, flat, flat),
    Kind("rises at first, then falls", lambda x, e: rises_then_falls(series_of(x, 0.1 * e), LAST),
         flat, flat),
    Kind("has no trend", lambda x, e: stays(series_of(x), MARGIN), rising, flat, 0.1),
    Kind("does not rise", lambda x, e: stays(series_of(x), MARGIN, may_fall=True), rising, flat, 0.1),
    Kind("from every generation to the next, in every generation",
         lambda x, e: every_above(estimates_of(x, e), "x", "rises"), flat, flat,
         measured=True),
    Kind("in some generation", lambda x, e: some_above(estimates_of(x, e), "x"), flat, flat,
         measured=True),
    Kind("in no generation", never, raised, flat, 0.1, measured=True),
    Kind("is above", lambda x, e: better(last_of(x, e), "x"), flat, flat, measured=True),
    Kind("ends no better", lambda x, e: ends_no_better(last_of(x, e), "x", MARGIN, x.shape[1], 0),
         raised, flat, 0.1, measured=True),
    Kind("about half", lambda x, e: within(last_of(x, e), -MARGIN, MARGIN, "x"), raised, raised, 0.1,
         measured=True),
]  # fmt: skip


class Power(NamedTuple):
    """A truth, by time from 0 to 1 in deviations of the noise, and the kind of statement that it confirms."""

    name: str
    kind: str
    truth: Callable[[np.ndarray], np.ndarray]
    noises: tuple[str, ...] = ("iid", "AR .5")


POWERS = [
    Power("a rise of 2 deviations", "rises", lambda t: 2 * t),
    Power("a rise of 5 deviations", "rises", lambda t: 5 * t),
    Power("a rise of 10 deviations", "rises", lambda t: 10 * t),
    Power("a drift of half a step's deviation", "rises", lambda t: 0.5 * t * (len(t) - 1),
          ("random walk",)),
    Power("a drift of one step's deviation", "rises", lambda t: t * (len(t) - 1), ("random walk",)),
    Power("a saturating rise of 10 deviations", "rises", lambda t: 10 * (1 - np.exp(-6 * t))),
    Power("a rise and fall of 5 deviations", "rises at first, then falls",
          lambda t: 5 * (1 - abs(2 * t - 1))),
    Power("a rise and fall of 20 deviations", "rises at first, then falls",
          lambda t: 20 * (1 - abs(2 * t - 1))),
    Power("no trend, noise of a tenth of the margin", "has no trend", flat),
    Power("a fall of twice the margin", "does not rise", lambda t: -2 * MARGIN * t),
    Power("steps of 3 errors", "from every generation to the next, in every generation",
          lambda t: 3 + 0 * t),
    Power("steps of 5 errors", "from every generation to the next, in every generation",
          lambda t: 5 + 0 * t),
    Power("one generation of 4 errors", "in some generation", lambda t: 4.0 * (t == t[-1])),
    Power("never above, noise of a tenth of the margin", "in no generation", flat),
]  # fmt: skip


def noise(phi: float, shape: tuple[int, ...], generator) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian AR(1) noise along the last axis, of deviation 1 (a random walk's is of its steps); and
    the deviation of every value.
    """
    steps = generator.standard_normal(shape)
    if phi == 1:
        return steps.cumsum(-1), np.broadcast_to(np.sqrt(np.arange(1, shape[-1] + 1)), shape)
    values = steps.copy()
    for i in range(1, shape[-1]):
        values[..., i] = phi * values[..., i - 1] + np.sqrt(1 - phi**2) * steps[..., i]
    return values, np.ones(shape)


def rates(kind: Kind, truth, phi: float, n: int, seeds: int, count: int) -> tuple[float, float]:
    """Shares of `count` simulated cases that are confirmed, and that are contradicted."""
    generator = np.random.default_rng([n, seeds, int(10 * phi)])
    values, errors = noise(phi, (count, seeds, n), generator)
    if kind.measured and seeds > 1:
        values = values + noise(phi, (count, 1, n), generator)[0]
    values = truth(np.linspace(0, 1, n)) + kind.noise * values
    found = [
        kind.test(of, error)["verdict"]
        for of, error in zip(values, kind.noise * errors, strict=True)
    ]
    return found.count(CONFIRMED) / count, found.count(CONTRADICTED) / count


def false_verdicts(kind: Kind, phi: float, n: int, seeds: int, count: int) -> tuple[float, float]:
    """Shares of false confirmations and of false contradictions."""
    confirmed, contradicted = rates(kind, kind.confirming, phi, n, seeds, count)
    if kind.contradicting is not kind.confirming:
        _, contradicted = rates(kind, kind.contradicting, phi, n, seeds, count)
    return confirmed, contradicted


def false_table(count: int) -> str:
    """Rates of false verdicts: of confirmations and of contradictions."""
    head = ["statement", "seeds", "n", *(f"{name}" for name in NOISES)]
    rows = []
    for kind in KINDS:
        for seeds in SEEDS:
            for n in LENGTHS:
                found = [false_verdicts(kind, phi, n, seeds, count) for phi in NOISES.values()]
                rows.append(
                    (kind.name, str(seeds), str(n), *("{:.3f} {:.3f}".format(*p) for p in found))
                )
    return table(head, rows, "<>>>>>>")


def power_table(count: int) -> str:
    """Shares of confirmations where the statement is true."""
    kinds = {kind.name: kind for kind in KINDS}
    head = [
        "truth",
        "noise",
        *(f"n {n}, {seeds} seed{'s' * (seeds > 1)}" for seeds in SEEDS for n in LENGTHS),
    ]
    rows = []
    for power in POWERS:
        for name in power.noises:
            kind = kinds[power.kind]
            found = [
                rates(kind, power.truth, NOISES[name], n, seeds, count)[0]
                for seeds in SEEDS for n in LENGTHS
            ]  # fmt: skip
            rows.append((power.name, name, *(f"{p:.2f}" for p in found)))
    return table(head, rows, "<<" + ">" * len(SEEDS) * len(LENGTHS))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=2000, help="simulated cases of each rate")
    options = parser.parse_args()
    deviation = (0.05 * 0.95 / options.series) ** 0.5
    before, _ = PAGE.read_text(encoding="utf-8").split(MARK)
    page = PAGE_END.format(
        count=options.series, false=false_table(options.series), power=power_table(options.series),
        low=0.05 - 2.58 * deviation, high=0.05 + 2.58 * deviation,
    )  # fmt: skip
    PAGE.write_text(f"{before}{MARK}{page}", encoding="utf-8")


if __name__ == "__main__":
    main()
