"""Lineages of n-grams by regime, in one process, beside what theory says: the table and figure of docs/regimes.md.

Order 1, delta 0, 50 tokens of equal probability, 200 sequences of one token, 40 generations.
"""

import argparse
import time

import numpy as np
import sides  # noqa: F401 - puts the library on the path

from ouroboros.config.regimes import regimes
from ouroboros.data.corpus import Corpus
from ouroboros.model.families.ngram.model import Model
from ouroboros.sampling.oracle import lineage

K, N, GENERATIONS = 50, 200, 40
REAL = N * GENERATIONS  # what the control needs
SETTINGS = {
    "replace": {}, "accumulate": {}, "accumulate_subsample": {}, "window": {"k": 2}, "mix": {"rho": 0.1},
    "fresh": {"rho": 0.1}, "counts": {"n_real": 100, "n_generated": 100}, "growth": {"s": 0.1, "n_0": N},
    "history": {"alpha": 0.1},
}  # fmt: skip
SAMPLED = {"growth": N * 58}  # n_0 40^1.1
THEORY = {
    "replace": f"{N * (1 - (1 - 1 / N) ** GENERATIONS):.1f} (n (1 - (1 - 1/n)^g))",
    "accumulate": f"{N * (1 - np.prod([1 - 1 / (N * i**2) for i in range(1, GENERATIONS + 1)])):.3f}",
    "accumulate_subsample": "2.84 (simulated)", "mix": "6.1 (simulated)", "fresh": "5.14 (simulated)",
}  # fmt: skip


def probabilities(name: str, seed: int) -> np.ndarray:
    """Probabilities (generations, tokens) of one lineage."""
    tokens = np.random.default_rng([seed, 1]).integers(0, K, REAL)
    real = Corpus(tokens[:, None].astype(np.uint16), np.zeros(REAL, np.uint16))
    models = lineage(
        regimes()[name], SETTINGS[name], Corpus(real.tokens[:N], real.previous[:N]),
        lambda: Model(1, 0.0, 1 << 20, K), GENERATIONS, SAMPLED.get(name, N), 0, seed, real,
        np.arange(N, REAL), batch=N,
    )  # fmt: skip
    return np.array([model.probabilities(np.zeros(1, np.int64))[0] for model, _ in models])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--figure", help="a .png or .svg to draw")
    options = parser.parse_args()
    print(
        "| regime | MSE of generation 40 / of generation 1 | theory | tokens left at generation 40 | seconds a lineage |"
    )
    print("|---|--:|--:|--:|--:|")
    errors = {}
    for name in SETTINGS:
        began = time.perf_counter()
        found = np.array([probabilities(name, seed) for seed in range(options.runs)])
        seconds = (time.perf_counter() - began) / options.runs
        errors[name] = ((found - 1 / K) ** 2).mean(2)
        first, last = errors[name][:, 0], errors[name][:, -1]
        ratio = last.mean() / first.mean()
        error = (last - ratio * first).std(ddof=1) / first.mean() / np.sqrt(options.runs)
        left = (found[:, -1] > 0).sum(1).mean()
        print(f"| {name} | {ratio:.2f} ± {error:.2f} | {THEORY.get(name, '')} | {left:.1f} of {K} | {seconds:.3f} |", flush=True)  # fmt: skip
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
    axes.legend(ncols=2)
    save(figure, [path])


if __name__ == "__main__":
    main()
