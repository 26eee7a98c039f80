"""Measurements of lineages and series of values for tests of findings."""

import math

import numpy as np

from ouroboros.findings.series import Series

STORIES, TOKENS = 50, 20  # of the validation set, and of each story


def series(values, errors=None, first=1):
    """A series of the generations from `first` on, with one standard error for all values."""
    generations = list(range(first, first + len(values)))
    return Series(
        "x", generations, list(values), None if errors is None else [errors] * len(values)
    )


def measured(generations, slope=1.0, seed=0):
    """A lineage that collapses as the paper's did: every claim of the paper is true of it."""
    peak = generations // 2
    generator = np.random.default_rng(seed)
    difficulty = generator.standard_normal(STORIES)  # of a story, to every LM

    def perplexity(value):
        loss = math.log(value)
        losses = loss + difficulty - difficulty.mean() + 0.01 * generator.standard_normal(STORIES)
        tokens = np.full(STORIES, TOKENS, np.int32)
        measured = {"perplexity": value, "loss": loss, "standard_error": 0.005}
        return {"ppl": measured, "ppl-stories": (TOKENS * losses, tokens)}

    def scores(accuracy, examples, weighted_f1):
        error = math.sqrt(accuracy * (1 - accuracy) / examples)
        return {
            "accuracy": accuracy, "standard_error": error, "weighted_f1": weighted_f1,
            "examples": examples, "majority": {"accuracy": 0.527},
        }  # fmt: skip

    def text(n):
        return {
            "entropy": 5 + 0.1 * min(n, 2 * peak - n), "entropy_error": 0.001,
            "oov_words": 100 * n, "run_share": 0.01 * n, "rep_4": 0.01 * n,
            "run_head_share": 0.5 + 0.005 * n,
            "unigram_divergence": {"lost": 0.1 * n}, "bigram_divergence": {"lost": 0.2 * n},
            "tail": {"surviving": 1 - 0.01 * n},
        }  # fmt: skip

    def lm(n):
        wave = (0.001, 0.002, 0.002, 0.001)[n % 4]
        tasks = {
            task: scores(0.8 - 0.01 * n, 5000, 0.8 - 0.01 * n)
            for task in ("imdb", "sst2", "yelp", "qqp", "qnli")
        }
        if n == 2:  # better than generation 1
            tasks["qqp"] = scores(0.88, 5000, 0.88)
        for task, level, examples in (("mrpc", 0.68, 408), ("rte", 0.5, 277), ("cola", 0.69, 1043)):
            tasks[task] = scores(level + wave, examples, 0.6 - 0.01 * n)
        return {
            **perplexity(4 + slope * n),
            "text": text(n),
            "oov": {"oov_words": 200 * n},
            "gpt_eval": {
                "grammar": {"mean": 7 - 0.05 * n, "standard_error": 0.05},
                "consistency": {"mean": 7 - 0.1 * n, "standard_error": 0.05},
            },
            "classification": tasks,
        }

    baseline = {**lm(10), **perplexity(3 + slope * generations)}
    baseline["gpt_eval"]["grades"] = [
        [{"grammar": 7}] * (4 + story % 3) + [{"grammar": 2}] * (6 - story % 3)
        for story in range(44)
    ]
    return {
        "baseline": baseline,
        "gen0": {"text": text(0)},
        **{f"gen{n}": lm(n) for n in range(1, generations + 1)},
    }
