"""The series of errors against the paper's formulas, taken literally."""

import numpy as np
import pytest

from ouroboros.metrics.theory.errors import accumulate, growth, growth_of_counts, identity_error

GENERATIONS, CONTEXTS, TOKENS = 12, 3, 7


@pytest.fixture
def distributions():
    """(generations + 1, contexts, tokens): those of generation 0 with two tokens that never occur."""
    rng = np.random.default_rng(0)
    found = rng.dirichlet(np.ones(TOKENS), (GENERATIONS + 1, CONTEXTS))
    found[0, :, :2] = 0
    found[0] /= found[0].sum(1, keepdims=True)
    return found


def literally(series, count):
    """Remark 1, proposition 1 and equation 3 of one context: y, alpha* and y_v after each generation."""
    y, tokens, found = count, count * series[0], []
    for p in series[1:]:
        alpha = max((tokens[v] - p[v] * y) / p[v] for v in range(TOKENS))
        tokens = tokens + np.array([p[v] * (alpha + y) - tokens[v] for v in range(TOKENS)])
        y += alpha
        found.append((y, alpha, tokens))
    return found


def in_logarithms(distributions, counts):
    with np.errstate(divide="ignore"):
        logs = np.log(distributions)
    log_y, found = np.log(counts), []
    log_tokens = logs[0] + log_y[:, None]
    for log_p in logs[1:]:
        errors = accumulate(log_y, log_tokens, log_p)
        found.append((errors, log_p))
        log_y, log_tokens = errors.log_y, errors.log_tokens
    return found


def test_they_are_the_papers_formulas(distributions):
    counts = np.array([10.0, 200.0, 3000.0])
    found = in_logarithms(distributions, counts)
    for context in range(CONTEXTS):
        expected = literally(distributions[:, context], counts[context])
        for (errors, _), (y, alpha, tokens) in zip(found, expected, strict=True):
            assert np.exp(errors.log_y[context]) == pytest.approx(y, rel=1e-9)
            assert np.exp(errors.log_alpha[context]) == pytest.approx(alpha, rel=1e-6)
            assert np.exp(errors.log_tokens[context]) == pytest.approx(tokens, rel=1e-9, abs=1e-9)


def test_equation_3_gives_the_distributions_back(distributions):
    found = in_logarithms(distributions, np.full(CONTEXTS, 50.0))
    assert max(identity_error(errors, log_p) for errors, log_p in found) < 1e-12
    errors, log_p = found[-1]
    assert identity_error(errors, np.roll(log_p, 1, axis=1)) > 0.01


def test_y_grows_by_the_largest_ratio_of_probabilities(distributions):
    found = in_logarithms(distributions, np.full(CONTEXTS, 50.0))
    for n, (errors, _) in enumerate(found, 1):
        ratios = np.log((distributions[n - 1] / distributions[n]).max(1))
        before = np.log(50.0) if n == 1 else found[n - 2][0].log_y
        assert errors.log_y - before == pytest.approx(ratios)


def test_a_model_that_is_exact_adds_no_error():
    p = np.log([[0.5, 0.25, 0.25]])
    errors = accumulate(np.log([8.0]), p + np.log(8.0), p)
    assert errors.log_y == pytest.approx(np.log([8.0]))
    assert errors.log_alpha == -np.inf
    assert identity_error(errors, p) < 1e-15


def test_a_token_that_became_impossible_makes_them_infinite():
    with np.errstate(divide="ignore"):
        before, now = np.log([[0.5, 0.5], [0.5, 0.5]]), np.log([[1.0, 0.0], [0.5, 0.5]])
    errors = accumulate(np.zeros(2), before, now)
    assert errors.log_y.tolist() == [np.inf, 0.0]
    assert identity_error(errors, now) == 0.0


def test_the_cut_leaves_rare_tokens_out():
    before, now = np.log([[0.9, 0.099, 0.001]]), np.log([[0.8, 0.1999, 0.0001]])
    assert growth(before, now) == pytest.approx(np.log(10))
    assert growth(before, now, 0.01) == pytest.approx(np.log(0.9 / 0.8))
    assert growth(before, now, 0.95) == 0


def test_growth_of_counts_is_their_expected_largest_ratio():
    """Of two tokens and two counts: 2 0, 1 1 or 0 2, each written out."""
    p = 0.3
    expected = p**2 * np.log(1 / p) + (1 - p) ** 2 * np.log(1 / (1 - p))
    expected += 2 * p * (1 - p) * np.log(0.5 / p)
    logs = np.log([[p, 1 - p]])
    found = growth_of_counts(np.array([2]), logs, np.random.default_rng(0), 100_000)
    assert found[0] == pytest.approx(expected, abs=0.01)
    none = growth_of_counts(np.array([10**12]), logs, np.random.default_rng(0), 10)
    assert none[0] < 1e-4
