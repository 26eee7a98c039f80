"""Lineages of unigrams by regime, simulated by counts alone: nothing of the project is used.

    python tests/support/drift.py 1000     # error of generation 40 by generation 1's, of 1,000 runs each

A corpus of one-token sequences is a vector of counts. A model says a token with its share of the counts that
it trained on, so the next corpus is a multinomial draw of them; sequences drawn without replacement are a
hypergeometric one.
"""

import sys

import numpy as np

K, N, GENERATIONS = (
    50,
    200,
    40,
)  # tokens of equal probability, sequences of C_0 and of a training corpus


def simulate(regime, rng, sampled: int = N) -> np.ndarray:
    """Probabilities (generations, tokens) of one run; each generation samples `sampled` sequences.

    `regime(n, corpora, rng)` gives generation n's training counts; `corpora[k]` are the counts of C_k.
    """
    corpora, models = [rng.multinomial(N, np.full(K, 1 / K))], []
    for n in range(1, GENERATIONS + 1):
        counts = regime(n, corpora, rng)
        models.append(counts / counts.sum())
        corpora.append(rng.multinomial(sampled, models[-1]))
    return np.array(models)


def some(counts, wanted, rng):
    """As many sequences of a corpus, without replacement."""
    return rng.multivariate_hypergeometric(counts, wanted)


def history(n, corpora, rng, alpha=0.1):
    if n == 1:
        return corpora[0]
    real = some(corpora[0], int(alpha * N), rng)
    if n == 2:
        return real + corpora[1]
    return real + some(sum(corpora[1 : n - 1]), N // 2, rng) + some(corpora[n - 1], N // 2, rng)


def with_part(real):
    """The regime that trains on N / 10 sequences of `real(corpora, rng)`, and C_{n-1} for the rest."""

    def regime(n, corpora, rng):
        if n == 1:
            return corpora[0]
        return some(real(corpora, rng), N // 10, rng) + some(corpora[n - 1], N - N // 10, rng)

    return regime


def grown(n, cap):
    """Sequences that generation n of `growth` trains on, with s = 0.1 and n_0 = N."""
    return min(cap, int(N * n**1.1 + 1e-9))


CAP = 2000  # of growth, which samples as many
REGIMES = {
    "replace": lambda n, corpora, rng: corpora[-1],
    "accumulate": lambda n, corpora, rng: sum(corpora),
    "accumulate_subsample": lambda n, corpora, rng: some(sum(corpora), N, rng),
    "window": lambda n, corpora, rng: sum(corpora[-2:]),
    "mix": with_part(lambda corpora, rng: corpora[0]),
    "fresh": with_part(lambda corpora, rng: rng.multinomial(N, np.full(K, 1 / K))),
    "counts": lambda n, corpora, rng: (
        corpora[0] if n == 1 else some(corpora[0], 100, rng) + some(corpora[-1], 100, rng)
    ),
    "growth": lambda n, corpora, rng: some(corpora[-1], grown(n, CAP), rng),
    "history": history,
}


def ratio(values: np.ndarray, first: np.ndarray) -> tuple[float, float]:
    """The mean of some runs' values by the mean of their `first`, and its standard error (delta method)."""
    found = values.mean() / first.mean()
    return found, (values - found * first).std(ddof=1) / first.mean() / np.sqrt(len(first))


def profile(models: np.ndarray) -> np.ndarray:
    """Five figures that tell a regime from the others, with their standard errors (5, 2), against generation 1's squared error.

    `models`: probabilities (runs, generations, tokens). The mean squared errors of generations 40, 2, 5 and
    10, and what generation 40's deviations have in common with generation 1's.
    """
    deviations = models - 1 / K
    squares = (deviations**2).mean(2)
    common = (deviations[:, 0] * deviations[:, -1]).mean(1)
    return np.array([ratio(of, squares[:, 0]) for of in (*squares[:, [-1, 1, 4, 9]].T, common)])


def main():
    runs, rng = int(sys.argv[1]), np.random.default_rng(0)
    for name, regime in REGIMES.items():
        sampled = CAP if name == "growth" else N
        found = profile(np.array([simulate(regime, rng, sampled) for _ in range(runs)]))
        print(f"{name}:", *(f"{value:.3f} ± {error:.3f}" for value, error in found), flush=True)


if __name__ == "__main__":
    main()
