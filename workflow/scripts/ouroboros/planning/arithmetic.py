"""Speeds and times by arithmetic, where nothing has been measured.

The Snakefile's checks use this before a run, so it imports nothing heavy.
"""

import os
from collections.abc import Callable

from ouroboros.pipeline.paths import MACHINE_SPEED
from ouroboros.planning.assumptions import cost_model
from ouroboros.planning.data_sizes import vocabulary_size
from ouroboros.planning.job_costs import weights
from ouroboros.planning.plan import timed
from ouroboros.planning.schedule import makespan

# Measured (docs/performance.md, 2 cores): 1m 33 (training), 33 (sampling) and 37 GFLOP/s (perplexity) a
# core, 33m 125 (bf16) and 72, demo 29 and 49. A core without AVX-512 has about half.
CORE = 50.0e9  # floating-point operations per second of a core
# Estimated for an H100 (nothing has run there): 1.4 us a token of the 33m in training and 1.3 in sampling,
# 0.8 and 0.3 of the 1m's. A smaller card takes about four times as long.
GPU = 500.0e12
GPU_TOKEN = 0.5e-6  # seconds of a token besides
OFF = 3  # the factor by which an estimate may be wrong
UPDATE = 0.01  # seconds of an update of fine-tuning, however few its tokens are
MACHINE = {  # as measure_machine_speed measured on such a core
    "start": {"workflow": 1.5, "torch": 1.5, "figures": 1.5, "light": 0.15},
    "stories_per_second": 20_000.0,
    "tokenise_tokens_per_second": 1.0e6,
    "text_tokens_per_second": 5.0e5,
}
DAY = 86400.0
DEVICES = ("/dev/nvidiactl", "/dev/kfd")  # of NVIDIA's and AMD's drivers
MOST_BYTES = 10_000_000  # of a task's files that are read to count their lines


def assumed_rates(lineage: dict, vocabulary: int, cores: int, any_gpu: bool) -> dict:
    """The rates of a lineage's model, in the form of `measure_model_speed`, by arithmetic: two operations
    per weight and token in a forward pass, three times as many in training.

    `lineage`: its resolved settings. `cores`: of this machine; `any_gpu`: it has a GPU, for jobs that ask
    for one.
    """
    resources = lineage["resources"]
    body, head = weights(lineage["model"], vocabulary)

    def per_token(rule, operations):
        if any_gpu and resources[rule]["gpu"]:
            return GPU_TOKEN + operations / GPU
        return operations / (CORE * min(cores, resources[rule]["threads"]))

    def rate(rule, passes):
        device = "a GPU" if any_gpu and resources[rule]["gpu"] else "cpu"
        tokens = 1 / per_token(rule, passes * 2 * (body + head))
        return {"start": 1.0, "tokens_per_second": tokens, "device": device}

    return {
        "train": rate("train", 3),
        "sample": rate("sample", 1),
        "ppl": rate("ppl", 1),
        "fine_tuning": {
            "start": 1.0, "seconds_per_update": UPDATE,
            "seconds_per_token": per_token("classification", 6 * body),
        },
    }  # fmt: skip


def estimate(
    jobs: list[dict], facts: dict, read: Callable, gpus: int, cores: int, any_gpu: bool
) -> float:
    """Seconds of the wall-clock of jobs (see dry_run.py), with no speed measured for it.

    `facts`: of `plan_facts`. `read`: path -> the content of a calibration or of the machine's speed,
    None where it is not there: arithmetic stands for it. `gpus`, `cores`: of the run.
    """
    rates = {}
    for name, lineage in facts["lineages"].items():
        path = facts["calibrations"].get(name)  # none where all rates are given
        vocabulary = vocabulary_size(facts["tokenizers"][lineage["tokenizer"]])
        assumed = assumed_rates(lineage, vocabulary, cores, any_gpu)
        rates[name] = (path and read(path)) or assumed
    costs, _ = cost_model(facts, rates, read(MACHINE_SPEED) or MACHINE, most_bytes=MOST_BYTES)
    return makespan(timed(jobs, costs), gpus, cores)


def has_gpu() -> bool:
    """Tell without torch whether this machine has a GPU, and lets this process see it."""
    return os.environ.get("CUDA_VISIBLE_DEVICES") != "" and any(map(os.path.exists, DEVICES))


def warning(seconds: float, machine: str, on_a_gpu: float | None, command: str) -> str | None:
    """A warning in words where a run takes more than a day, else None.

    `machine`: what it has, in words. `on_a_gpu`: seconds of the same run there, where jobs ask for one and
    the machine has none. `command`: proposes settings that end in time.
    """
    if seconds <= DAY:
        return None
    gpu = "" if on_a_gpu is None else f"; on a GPU such as an H100 {_about(on_a_gpu)}"
    return (
        f"This run takes {_about(seconds)} on this machine ({machine}){gpu}. That is arithmetic, and may "
        f"be wrong by a factor of {OFF}. A smaller model, fewer sequences or fewer generations are quicker: "
        f"`{command}` proposes some that end within a time. It starts all the same."
    )


def _about(seconds):
    """Seconds in words, with two digits."""
    days = seconds / DAY
    if days < 2:
        return f"about {seconds / 3600:.0f} hours"
    return f"about {float(f'{days:.2g}') if days >= 10 else round(days):,.0f} days"
