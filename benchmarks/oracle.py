"""Lineages of n-grams by regime, in one process, beside what theory says: the table of docs/regimes.md, and docs/results/oracle.

Order 1, delta 0, 50 tokens of equal probability, 200 sequences of one token, 40 generations. The theory is a
simulation by counts alone (tests/support/drift.py), which replace and accumulate have formulas for.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd
from sides import REPOSITORY  # puts the library on the path

sys.path.append(str(REPOSITORY / "tests/support"))

from drift import CAP, GENERATIONS, REGIMES, K, N, profile, ratio, simulate

from ouroboros.config.regimes import regimes
from ouroboros.data.corpus import Corpus
from ouroboros.model.families.ngram.model import Model
from ouroboros.sampling.oracle import lineage

REAL = N * GENERATIONS  # more than any regime uses
SIMULATED = 5000  # runs
SETTINGS = {
    "replace": {}, "accumulate": {}, "accumulate_subsample": {}, "window": {"k": 2}, "mix": {"rho": 0.1},
    "fresh": {"rho": 0.1}, "counts": {"n_real": 100, "n_generated": 100},
    "growth": {"s": 0.1, "n_0": N, "cap": CAP}, "history": {"alpha": 0.1},
}  # fmt: skip
SAMPLED = {"growth": CAP}


def probabilities(name: str, seed: int) -> np.ndarray:
    """Probabilities (generations, tokens) of one lineage."""
    tokens = np.random.default_rng([seed, 1]).integers(0, K, REAL)
    real = Corpus(tokens[:, None].astype(np.uint16), np.zeros(REAL, np.uint16))
    models = lineage(
        regimes()[name], SETTINGS[name], Corpus(real.tokens[:N], real.previous[:N]),
        lambda: Model(1, 0.0, 1 << 20, K), GENERATIONS, SAMPLED.get(name, N), 0, seed, real,
        np.arange(N, REAL), batch=CAP,
    )  # fmt: skip
    return np.array([model.probabilities(np.zeros(1, np.int64))[0] for model, _ in models])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument(
        "--csv", help="where to write errors by generation, for workflow/scripts/figure_of_table.py"
    )
    options = parser.parse_args()
    print("| regime | measured | by counts alone | tokens left | seconds a lineage |")
    print("|---|--:|--:|--:|--:|")
    rows = []
    for name, settings in SETTINGS.items():
        began = time.perf_counter()
        found = np.array([probabilities(name, seed) for seed in range(options.runs)])
        seconds = (time.perf_counter() - began) / options.runs
        rng, sampled = np.random.default_rng(0), SAMPLED.get(name, N)
        expected = np.array([simulate(REGIMES[name], rng, sampled) for _ in range(SIMULATED)])
        for metric, models in (("squared_error", found), ("squared_error_by_counts", expected)):
            rows.extend(by_generation(name, metric, ((models - 1 / K) ** 2).mean(2)))
        measured, theory = (
            "{:.3g} ± {:.2g}".format(*profile(models)[0]) for models in (found, expected)
        )
        left = (found[:, -1] > 0).sum(1).mean()
        label = ", ".join([f"`{name}`", *(f"{key} {value}" for key, value in settings.items())])
        print(
            f"| {label} | {measured} | {theory} | {left:.0f} of {K} | {seconds:.2f} |", flush=True
        )
    if options.csv:
        pd.DataFrame(rows).to_csv(options.csv, index=False, float_format="%.5g")


def by_generation(name, metric, squares):
    """Rows of a long table: mean squared errors (runs, generations) against generation 1's, with standard errors."""
    for generation, own in enumerate(squares.T, 1):
        value, error = ratio(own, squares[:, 0])
        yield {
            "lineage": name, "generation": generation, "metric": metric, "value": value,
            "standard_error": error, "count": len(own),
        }  # fmt: skip


if __name__ == "__main__":
    main()
