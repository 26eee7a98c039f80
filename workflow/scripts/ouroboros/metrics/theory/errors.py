"""The errors of section 2 of the paper, as series over generations, in logarithms: they grow exponentially.

For one context x, and the distributions p_n(v) = p_n(v | x) of generations n, of which p_0(v) = N_v / N is the initial corpus's:

    alpha*[n] = max_v (y_v[n-1] - p_n(v) y[n-1]) / p_n(v)        Remark 1, for equation 2
    alpha_v[n] = p_n(v) (alpha*[n] + y[n-1]) - y_v[n-1]          proof of proposition 1
    y[n] = y[n-1] + alpha*[n],  y_v[n] = y_v[n-1] + alpha_v[n]   equation 3; y[0] = N, y_v[0] = N_v

Since y_v[n-1] = p_{n-1}(v) y[n-1], it follows that y[n] = y[n-1] max_v (p_{n-1}(v) / p_n(v)).
"""

from typing import NamedTuple

import numpy as np


class Errors(NamedTuple):
    """After a generation, of each context: `log_y` and `log_alpha` (contexts,), `log_tokens` (contexts, vocabulary).

    `log_tokens`: ln y_v; `log_alpha`: ln alpha*, -inf where it is 0. A token that was possible and no
    longer is makes both infinite.
    """

    log_y: np.ndarray
    log_alpha: np.ndarray
    log_tokens: np.ndarray


def accumulate(log_y: np.ndarray, log_tokens: np.ndarray, log_p: np.ndarray) -> Errors:
    """Add a generation's errors.

    `log_y` (contexts,) and `log_tokens` (contexts, vocabulary): ln y[n-1] and ln y_v[n-1]. `log_p`: ln
    p_n (contexts, vocabulary). The new ln y_v is a sum of ln y_v[n-1] and ln alpha_v[n], so that
    `identity_error` has something to check.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        now = log_y + growth(log_tokens - log_y[:, None], log_p)
        log_alpha = _log_difference(now, log_y)
        wanted = log_p + now[:, None]
        errors = _log_difference(wanted, np.minimum(log_tokens, wanted))
        tokens = np.logaddexp(log_tokens, errors)
    return Errors(now, log_alpha, tokens)


def growth(before: np.ndarray, now: np.ndarray, cut: float = 0.0) -> np.ndarray:
    """ln max_v (p_{n-1}(v) / p_n(v)) of each context, over the tokens with p_{n-1} of `cut` at least; nats, (contexts,).

    `before`, `now`: ln p_{n-1} and ln p_n (contexts, vocabulary). Infinite where such a token has p_n = 0; 0
    where no token is above the cut.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        counted = np.isfinite(before) & (before >= np.log(cut))
        ratios = np.where(counted, before - now, -np.inf)
    return np.maximum(ratios.max(1), 0.0)  # the largest ratio of two distributions is at least 1


def growth_of_counts(counts: np.ndarray, log_p: np.ndarray, rng, draws: int) -> np.ndarray:
    """The growth that noise alone would give: the counts redrawn from p_n itself, mean of `draws`; (contexts,).

    `counts` (contexts,): N of each. `log_p`: ln p_n (contexts, vocabulary).
    """
    found = np.empty(len(counts))
    for context, (count, own) in enumerate(zip(counts, log_p, strict=True)):
        probabilities = np.exp(own)
        drawn = rng.multinomial(count, probabilities / probabilities.sum(), draws)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(drawn > 0, np.log(drawn) - np.log(count) - own, -np.inf)
        found[context] = ratios.max(1).mean()
    return found


def identity_error(errors: Errors, log_p: np.ndarray) -> float:
    """How far equation 3, y_v[n] / y[n], is from p_n: the largest difference of probabilities."""
    finite = np.isfinite(errors.log_y)
    if not finite.any():
        return 0.0
    found = np.exp(errors.log_tokens[finite] - errors.log_y[finite, None])
    return float(np.abs(found - np.exp(log_p[finite])).max())


def _log_difference(larger, smaller):
    """ln(e^larger - e^smaller), where larger >= smaller."""
    return larger + np.log(-np.expm1(smaller - larger))
