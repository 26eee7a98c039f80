"""Measurements of lineages and series of values for tests of findings."""

from ouroboros.findings.series import Series


def series(values, errors=None, first=1):
    """A series of the generations from `first` on, with one standard error for all values."""
    generations = list(range(first, first + len(values)))
    return Series(
        "x", generations, list(values), None if errors is None else [errors] * len(values)
    )


def measured(generations, slope=1.0):
    """A lineage that collapses as the paper's did: every claim of the paper is true of it."""
    peak = generations // 2

    def lm(n):
        wave = (0.001, 0.002, 0.002, 0.001)[n % 4]
        tasks = {
            task: {
                "accuracy": 0.8 - 0.01 * n,
                "standard_error": 0.005,
                "weighted_f1": 0.8 - 0.01 * n,
            }
            for task in ("imdb", "sst2", "yelp", "qqp", "qnli")
        }
        for task, level in (("mrpc", 0.68), ("rte", 0.5), ("cola", 0.69)):
            tasks[task] = {
                "accuracy": level + wave, "standard_error": 0.01, "weighted_f1": 0.6 - 0.01 * n,
            }  # fmt: skip
        return {
            "ppl": {"perplexity": 4 + slope * n, "loss": float(n), "standard_error": 0.01},
            "text": {
                "entropy": 5 + 0.1 * min(n, 2 * peak - n), "oov_words": 100 * n,
                "run_share": 0.01 * n, "rep_4": 0.01 * n, "run_head_share": 0.8,
                "unigram_divergence": {"lost": 0.1 * n}, "bigram_divergence": {"lost": 0.2 * n},
                "tail": {"surviving": 1 - 0.01 * n},
            },
            "gpt_eval": {
                "grammar": {"mean": 7 - 0.05 * n, "standard_error": 0.05},
                "consistency": {"mean": 7 - 0.1 * n, "standard_error": 0.05},
            },
            "classification": tasks,
        }  # fmt: skip

    baseline = lm(10)
    baseline["ppl"] = {"perplexity": 50.0, "loss": float(generations - 1), "standard_error": 0.01}
    return {"baseline": baseline, **{f"gen{n}": lm(n) for n in range(1, generations + 1)}}
