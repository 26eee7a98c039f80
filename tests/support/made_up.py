"""Measurements of lineages that nobody trained, with a course that is known and noise of known size."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STORIES, TOKENS = 200, 100  # of the validation set, and of each story


class Course(NamedTuple):
    """The true value of each measurement by time, 0 in generation 1 and 1 in the last: arrays -> arrays."""

    loss: Callable = lambda t: 1 + 0 * t
    entropy: Callable = lambda t: 5 + 0 * t
    phrases: Callable = lambda t: 1 + 0 * t
    tails: Callable = lambda t: 1 + 0 * t
    hallucinated: Callable = lambda t: 0.02 + 0 * t


ERRORS = Course(loss=0.05, entropy=0.005, phrases=0.02, tails=0.02, hallucinated=0.01)
NO_NOISE = Course(*[0.0] * len(Course._fields))


def made_up(
    course: Course, generations: int, seed: int = 0, noise: Course = NO_NOISE, walks: bool = False
) -> dict[str, dict]:
    """One lineage's measurements: its course, noise of its generations (that adds up where it `walks`), and errors of measurement.

    ERRORS has these: of a loss, the deviation of a story around the generation's mean.
    """
    rng = np.random.default_rng(seed)
    times = np.linspace(0, 1, generations)
    values = {}
    for name in Course._fields:
        steps = getattr(noise, name) * rng.standard_normal(generations)
        values[name] = getattr(course, name)(times) + (steps.cumsum() if walks else steps)
        if name != "loss":
            values[name] += getattr(ERRORS, name) * rng.standard_normal(generations)
    difficulty = rng.normal(0, 0.2, STORIES)  # of each story, the same for all generations
    losses = values["loss"][:, None] + difficulty
    losses = losses + ERRORS.loss * rng.standard_normal(losses.shape)
    tokens = np.full(STORIES, TOKENS)
    measured = {"gen0": _corpus(5.0, 1.0, 1.0, 0.0)}
    for n in range(generations):
        others = [values[name][n] for name in ("entropy", "phrases", "tails", "hallucinated")]
        mean = float(losses[n].mean())
        measured[f"gen{n + 1}"] = _corpus(*others) | {
            "ppl": {
                "loss": mean, "perplexity": math.exp(mean),
                "standard_error": float(losses[n].std() / STORIES**0.5),
            },
            "ppl-stories": (losses[n] * TOKENS, tokens),
        }  # fmt: skip
    return measured


def _corpus(entropy, *shares):
    phrases, tails, hallucinated = (float(min(max(share, 0.0), 1.0)) for share in shares)
    return {
        "text": {
            "entropy": float(entropy), "entropy_error": ERRORS.entropy,
            # so many that their error is the one wanted
            "tail": {"surviving": tails, "tokens": max(1, round(tails * (1 - tails) / ERRORS.tails**2))},
        },
        "support": {
            "phrases_left": phrases, "phrases_left_error": ERRORS.phrases,
            "hallucinated": hallucinated, "hallucinated_error": ERRORS.hallucinated,
        },
    }  # fmt: skip
