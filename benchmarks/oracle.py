"""Lineages of n-grams by regime, in one process, beside what theory says: the table and figure of docs/regimes.md.

Order 1, delta 0, 50 tokens of equal probability, 200 sequences of one token, 40 generations. The theory is a
simulation by counts alone (tests/support/drift.py), which replace and accumulate have formulas for.
"""

import argparse
import sys
import time

import numpy as np
from sides import REPOSITORY  # puts the library on the path

sys.path.append(str(REPOSITORY / "tests/support"))

from drift import CAP, GENERATIONS, REGIMES, K, N, profile, simulate

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
    parser.add_argument("--figure", help="a .png or .svg to draw")
    options = parser.parse_args()
    print("| regime | measured | by counts alone | tokens left | seconds a lineage |")
    print("|---|--:|--:|--:|--:|")
    errors = {}
    for name, settings in SETTINGS.items():
        began = time.perf_counter()
        found = np.array([probabilities(name, seed) for seed in range(options.runs)])
        seconds = (time.perf_counter() - began) / options.runs
        errors[name] = ((found - 1 / K) ** 2).mean(2)
        rng, sampled = np.random.default_rng(0), SAMPLED.get(name, N)
        expected = np.array([simulate(REGIMES[name], rng, sampled) for _ in range(SIMULATED)])
        measured, theory = (
            "{:.3g} ± {:.2g}".format(*profile(models)[0]) for models in (found, expected)
        )
        left = (found[:, -1] > 0).sum(1).mean()
        label = ", ".join([f"`{name}`", *(f"{key} {value}" for key, value in settings.items())])
        print(
            f"| {label} | {measured} | {theory} | {left:.0f} of {K} | {seconds:.2f} |", flush=True
        )
    if options.figure:
        draw(errors, options.figure)


def draw(errors: dict[str, np.ndarray], path: str):
    """Draw each regime's MSE by generation against generation 1's, with bands of one standard error."""
    import itertools

    import matplotlib.pyplot as plt

    from ouroboros.report.drawing import SIZE, save
    from ouroboros.report.drawing.generations import STYLES

    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    for (name, found), style in zip(errors.items(), itertools.cycle(STYLES), strict=False):
        means = found.mean(0) / found[:, 0].mean()
        spread = found.std(0, ddof=1) / np.sqrt(len(found)) / found[:, 0].mean()
        generations = np.arange(1, GENERATIONS + 1)
        axes.plot(generations, means, label=name, markevery=4, **style)
        axes.fill_between(
            generations, means - spread, means + spread, color=style["color"], alpha=0.2
        )
    axes.set(
        xlabel="Generation", ylabel="Error of the probabilities, against generation 1", yscale="log"
    )
    figure.legend(loc="outside right upper")
    save(figure, [path])


if __name__ == "__main__":
    main()
