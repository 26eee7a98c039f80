"""Lineages of n-grams against theory: regimes, recipes, counting and sampling are what they say.

Order 1, delta 0, 50 tokens of equal probability, corpora of 200 sequences of one token. Each test also sees
that another regime in the place of the one that it names would not pass.
"""

import functools
import itertools

import numpy as np
import pytest
from drift import CAP, GENERATIONS, REGIMES, K, N, profile, simulate

from ouroboros.config.regimes import regimes
from ouroboros.data.corpus import Corpus
from ouroboros.model.families.ngram.model import Model
from ouroboros.sampling import sampler
from ouroboros.sampling.oracle import lineage

RUNS = 40
SETTINGS = {
    "replace": {}, "accumulate": {"cap": None}, "accumulate_subsample": {}, "window": {"k": 2},
    "mix": {"rho": 0.1}, "fresh": {"rho": 0.1}, "counts": {"n_real": 100, "n_generated": 100},
    "growth": {"s": 0.1, "n_0": N, "cap": CAP}, "history": {"alpha": 0.1},
}  # fmt: skip
SAMPLED = {"growth": CAP}


@functools.cache
def runs(name, generations=GENERATIONS, count=RUNS):
    """Probabilities (runs, generations, tokens) of lineages of a regime, and counts (runs, tokens) of C_0."""
    found, initial = [], []
    uniforms = sampler.uniforms
    try:
        # one stream for a generation instead of one for each sequence: quicker, and as random
        sampler.uniforms = lambda key, rows, length: np.random.default_rng(key).random(
            (len(rows), length)
        )
        for seed in range(1000, 1000 + count):
            real = corpus(np.random.default_rng([seed, 1]).integers(0, K, 5 * N))
            first, reserve = corpus(real.tokens[:N, 0]), np.arange(N, 5 * N)
            models = lineage(
                regimes()[name], SETTINGS[name], first, lambda: Model(1, 0.0, 1 << 20, K), generations,
                SAMPLED.get(name, N), 0, seed, real, reserve, batch=CAP,
            )  # fmt: skip
            found.append([of.probabilities(np.zeros(1, np.int64))[0] for of, _ in models])
            initial.append(np.bincount(first.tokens[:, 0], minlength=K))
    finally:
        sampler.uniforms = uniforms
    return np.array(found), np.array(initial)


def corpus(tokens):
    return Corpus(tokens[:, None].astype(np.uint16), np.zeros(len(tokens), np.uint16))


def heterozygosity(name):
    """1 - sum p^2 of every generation: means over runs and their standard errors."""
    values = 1 - (runs(name)[0] ** 2).sum(2)
    return values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values))


def test_replace_loses_diversity_as_genes_drift():
    """E[1 - sum p_g^2] = (1 - 1/n)^g (1 - sum p_0^2)."""
    expected = (1 - 1 / N) ** np.arange(1, GENERATIONS + 1) * (1 - 1 / K)
    means, errors = heterozygosity("replace")
    for g in (1, 5, 10, 20, 40):
        assert abs(means[g - 1] - expected[g - 1]) < 3 * errors[g - 1], g
    for other in SETTINGS.keys() - {"replace"}:
        means, errors = heterozygosity(other)
        assert abs(means[-1] - expected[-1]) > 4 * errors[-1], other


# of accumulate by theory: n (1 - prod_i (1 - 1/(n i^2)))
ACCUMULATED = N * (1 - np.prod([1 - 1 / (N * i**2) for i in range(1, GENERATIONS + 1)]))


@functools.cache
def simulated(name):
    """The profile of a regime from counts alone: none of the project's code is used."""
    rng = np.random.default_rng(0)
    return profile(
        np.array([simulate(REGIMES[name], rng, SAMPLED.get(name, N)) for _ in range(400)])
    )


def apart(one, other):
    """The differences of two profiles, in standard errors."""
    return np.abs(one[:, 0] - other[:, 0]) / np.hypot(one[:, 1], other[:, 1])


@pytest.mark.parametrize("name", SETTINGS)
def test_errors_grow_as_simulated(name):
    found = profile(runs(name)[0])
    assert (apart(found, simulated(name)) < 3).all(), (found, simulated(name))
    for other in SETTINGS.keys() - {name}:
        assert (apart(found, simulated(other)) > 3).any(), (other, found, simulated(other))


def test_a_lineage_on_fresh_text_forgets_its_first_corpus():
    """Generation 40 deviates as generation 1 did where the real part is C_0's, with fresh text by .9^39 of it."""
    for name, expected in (("replace", 1.0), ("mix", 1.0), ("fresh", 0.9 ** (GENERATIONS - 1))):
        deviations = runs(name)[0] - 1 / K
        first, last = deviations[:, 0], deviations[:, -1]
        shares = (first * last).mean(1) / (first**2).mean()
        assert abs(shares.mean() - expected) < 3 * shares.std(ddof=1) / np.sqrt(RUNS), name


def test_a_fixed_real_part_is_another_regime():
    """It would give 14.1: see docs/regimes.md."""
    found, error = profile(runs("mix")[0])[0]
    assert found + 10 * error < 14.1


def test_accumulation_is_bounded_by_the_sum_of_squares():
    assert pytest.approx(1.616, abs=5e-4) == ACCUMULATED
    found, error = simulated("accumulate")[0]
    assert abs(found - ACCUMULATED) < 3 * error
    assert sum(1 / i**2 for i in range(1, GENERATIONS + 1)) == pytest.approx(ACCUMULATED, rel=0.01)


def test_a_rare_token_is_lost_as_often_as_chance_says():
    """One that occurs f times among N is gone after one generation with probability (1 - f/N)^N."""
    probabilities, initial = runs("replace")
    gone = probabilities[:, 1] == 0  # generation 2 counts what generation 1 sampled
    for f in (1, 2, 3):
        lost = gone[initial == f]
        expected = (1 - f / N) ** N
        error = np.sqrt(expected * (1 - expected) / len(lost))
        assert len(lost) > 30 and abs(lost.mean() - expected) < 3 * error, (f, len(lost))


def test_two_lineages_of_one_seed_are_one():
    args = (
        regimes()["mix"],
        {"rho": 0.1},
        corpus(np.arange(N) % K),
        lambda: Model(1, 0.0, 9, K),
        3,
        N,
        0,
    )
    first, again, other = (
        [of.counts.tolist() for of, _ in itertools.islice(lineage(*args, seed), 3)]
        for seed in (1, 1, 2)
    )
    assert first == again != other
