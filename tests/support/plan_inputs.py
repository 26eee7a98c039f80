"""A small run for tests of planning: its speeds, sizes, and jobs as a dry-run lists them."""

from ouroboros.planning.data_sizes import TaskSize
from ouroboros.planning.job_costs import JobCosts

MODEL = {"layers": 3, "hidden_size": 16, "heads": 2, "window": 8, "context": 16, "positions": 32,
         "initial_std": 0.02}  # fmt: skip
MACHINE_SPEED = {
    "start": {"workflow": 1.0, "torch": 2.0, "figures": 3.0, "light": 0.5},
    "stories_per_second": 100.0, "tokenise_tokens_per_second": 1000.0,
    "text_tokens_per_second": 500.0,
}  # fmt: skip
RATES = {
    "train": {"start": 4.0, "tokens_per_second": 10.0, "device": "cpu"},
    "sample": {"start": 1.0, "tokens_per_second": 20.0},
    "ppl": {"start": 0.0, "tokens_per_second": 50.0},
    "fine_tuning": {"start": 7.0, "seconds_per_update": 0.5, "seconds_per_token": 0.01},
}
LINEAGE = {
    "regime": "replace", "model": MODEL, "vocabulary": 300, "epochs": 3, "corpus": "own", "beyond_context": 0.01, "rates": RATES,
    "training": {"epochs": "auto", "patience": 1, "max_epochs": 20, "batch": 8},
    "sampling": {"sequences": 10, "sequence_length": 32, "shards": 4},
    "evaluation": {
        "beginnings": 32,
        "context": 32, "completions": 10, "new_tokens": 20, "judge": "cheap",
        "classification": {"epochs": 2, "batch": 4, "eval_batch": 10, "max_length": 30, "seeds": 1},
    },
}  # fmt: skip
CORPORA = {
    "own": {
        "train": {"stories": 10, "tokens": 1000},
        "heldout": {"stories": 5, "tokens": 100},
        "validation": {"stories": 5, "tokens": 100},
    }
}


def job_costs() -> JobCosts:
    """The costs of jobs of one lineage, `l`."""
    tasks = {"small": ({"kind": "sst2"}, TaskSize(40, 20, 12))}
    judges = {"cheap": {"requests_per_minute": 60}}
    return JobCosts(MACHINE_SPEED, {"l": LINEAGE}, CORPORA, tasks, judges)


def job(rule, inputs=(), outputs=("results/l/x",), **wildcards):
    return {"rule": rule, "input": list(inputs), "output": list(outputs), "gpus": 1, "cores": 1,
            "wildcards": {"lineage": "l", **wildcards}}  # fmt: skip


def shard(generation, number):
    return f"results/l/gen{generation}/corpus/shard-{number:05d}.parquet"
