"""What the benchmarks share: their options, their models, and the comparison with its report."""

import argparse
import json
import os
import platform
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from statistics import median

import sides
import torch
import yaml
from limit import prepare as prepare_limit
from sides import ALLOCATOR, REPOSITORY, Side, spread

from ouroboros.checkpoint import _config, to_transformers
from ouroboros.model import GPTNeo, ModelSettings, initialise
from ouroboros.settings import resolve

GPT2_TOKENS = 50257


@dataclass(frozen=True)
class Work:
    """What one token asks of a machine, and the shape that it comes in."""

    rows: int  # tokens in one matrix product
    flop: float
    cache_bytes: float = 0.0  # keys and values read
    dtype: torch.dtype = torch.float32


@cache
def configuration() -> dict:
    """config.yaml, resolved: `lineages`, `tokenizers` ..."""
    config, schema = (
        yaml.safe_load((REPOSITORY / path).read_text(encoding="utf-8"))
        for path in ("config.yaml", "workflow/schemas/config.schema.yaml")
    )
    return resolve(config, schema)


def model_settings(name: str) -> ModelSettings:
    """The model of the lineage `name`."""
    lineage = configuration()["lineages"][name]
    tokenizer = configuration()["tokenizers"][lineage["tokenizer"]]
    vocabulary = tokenizer.get("vocabulary_size", GPT2_TOKENS)
    return ModelSettings(**lineage["model"], vocabulary_size=vocabulary)


def random_model(settings: ModelSettings) -> GPTNeo:
    """Random weights, such that attention and predictions are as uneven as a trained model's.

    At a standard deviation of 1 / sqrt(width), states and logits have one of about 1.
    """
    return initialise(replace(settings, initial_std=settings.hidden_size**-0.5), seed=0).eval()


def in_transformers(model: GPTNeo):
    """The same model in transformers, its attention as shipped."""
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    config = _config(model.settings, end_of_text(model.settings))
    config = GPTNeoConfig(**{key: value for key, value in config.items() if key != "dtype"})
    other = GPTNeoForCausalLM(config).eval()
    missing, unexpected = other.load_state_dict(to_transformers(model), strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)  # it is tied
    return other


def end_of_text(settings: ModelSettings) -> int:
    """GPT-2's; for speed any token will do."""
    return settings.vocabulary_size - 1


def parser(description: str, model: str = "1m", allocator: str = "both") -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    options.add_argument(
        "--model", default=model, choices=configuration()["lineages"],
        help="a lineage of config.yaml, whose model is taken, with random weights",
    )  # fmt: skip
    options.add_argument(
        "--repeats", type=positive, default=3, help="pairs of runs, in alternation"
    )
    options.add_argument(
        "--threads", type=positive, help="of either side; else OMP_NUM_THREADS, else all cores",
        default=os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)),
    )  # fmt: skip
    options.add_argument(
        "--allocator", default=allocator, choices=["both", "ours", "none"],
        help="which side runs with the workflow's allocator settings; the other runs as installed",
    )  # fmt: skip
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the result there")
    return options


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 upwards")
    return int(text)


def compare(options, what: str, against: str, ours: tuple, theirs: tuple, work: Work):
    """Run both sides, `(prepare, *arguments)` each, and the limit in alternation, and report.

    A side's repeat returns tokens/s.
    """
    settings = model_settings(options.model)
    environments = {
        "ours": ALLOCATOR if options.allocator in ("both", "ours") else {},
        "theirs": ALLOCATOR if options.allocator == "both" else {},
        "limit": ALLOCATOR,
    }
    calls = {
        "ours": ours,
        "theirs": theirs,
        "limit": (prepare_limit, settings, work.rows, work.dtype),
    }
    try:
        running = {
            name: Side(environments[name], options.threads, *call) for name, call in calls.items()
        }
        results = sides.alternate(running, options.repeats)
    except BrokenProcessPool:
        sys.exit(
            "One of the sides was killed: there may be too little memory. Try a smaller batch."
        )
    result = {"benchmark": Path(sys.argv[0]).stem, "what": what, "against": against}
    for name in ("ours", "theirs"):
        result[name] = {
            "rates": results[name],
            **spread(results[name]),
            "peak_memory_gb": running[name].peak_memory(),
            "allocator": environments[name],
        }
    ratios = [a / b for a, b in zip(results["ours"], results["theirs"], strict=True)]
    result["ratios"], result["ratio"] = ratios, spread(ratios)
    result["limit"] = _limit(results["ours"], results["limit"], work)
    result["machine"] = {
        "cpu": _cpu(),
        "threads": options.threads,
        "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "transformers")},
    }
    result["settings"] = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in vars(options).items()
    }
    for side in running.values():
        side.close()
    print(report(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _limit(rates, measured, work):
    """Tokens/s that the arithmetic allows, and our share of it, each rate beside its own limit."""
    bests = [max(one["gemm_gflops"].values()) for one in measured]
    reads = [one["read_gb"] for one in measured]
    gemm, last = median(bests), measured[-1]["gemm_gflops"]
    limit = {
        "gemm_gflops": gemm,
        "gemm_shape": max(last, key=last.get),
        "precision": str(work.dtype).removeprefix("torch."),
        "read_gb": median(reads),
        "copy_gb": median(one["copy_gb"] for one in measured),
        "mflop_per_token": work.flop / 1e6,
        "tokens_per_second": gemm * 1e9 / work.flop,
        "share": median(
            rate * work.flop / best / 1e9 for rate, best in zip(rates, bests, strict=True)
        ),
        "measured": measured,
    }
    if work.cache_bytes:
        limit["cache_mb_per_token"] = work.cache_bytes / 1e6
        limit["cache_share"] = median(
            rate * work.cache_bytes / read / 1e9 for rate, read in zip(rates, reads, strict=True)
        )
    return limit


def report(result: dict) -> str:
    """The result in words; the last line is the ratio's median."""
    ours, theirs, limit, machine = (result[key] for key in ("ours", "theirs", "limit", "machine"))
    lines = [
        result["what"],
        f"against {result['against']}",
        f"{machine['cpu']}, {machine['threads']} threads; Python {machine['python']}, "
        f"torch {machine['torch']}, transformers {machine['transformers']}",
        *(f"allocator of {name}: {_allocator(result[name])}" for name in ("ours", "theirs")),
        "",
        f"{'tokens/s':12}{'ours':>12}{'theirs':>12}{'ratio':>9}",
    ]
    rows = zip(ours["rates"], theirs["rates"], result["ratios"], strict=True)
    lines += [_row(f"repeat {number}", *row) for number, row in enumerate(rows, 1)]
    lines += [
        _row(kind, ours[kind], theirs[kind], result["ratio"][kind])
        for kind in ("median", "min", "max")
    ]
    memory = ours["peak_memory_gb"], theirs["peak_memory_gb"]
    lines += [
        f"{'peak memory':12}{memory[0]:>9.2f} GB{memory[1]:>9.2f} GB{memory[0] / memory[1]:>9.2f}",
        "",
        f"limit: matrix products {limit['gemm_gflops']:.0f} GFLOP/s ({limit['precision']}, at "
        f"{limit['gemm_shape']}), memory {limit['read_gb']:.0f} GB/s read, "
        f"{limit['copy_gb']:.0f} GB/s copied",
        f"{limit['mflop_per_token']:.2f} MFLOP per token allow "
        f"{limit['tokens_per_second']:,.0f} tokens/s; ours reaches {limit['share']:.0%}",
    ]
    if "cache_share" in limit:
        lines.append(
            f"keys and values, {limit['cache_mb_per_token']:.2f} MB per token, are read at "
            f"{limit['cache_share']:.0%} of the memory's rate"
        )
    return "\n".join([*lines, f"ratio: {result['ratio']['median']:.2f}"])


def _row(name, ours, theirs, ratio):
    return f"{name:12}{ours:>12,.0f}{theirs:>12,.0f}{ratio:>9.2f}"


def _allocator(side):
    settings = " ".join(f"{name}={value}" for name, value in side["allocator"].items())
    return settings or "as installed"


def _cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
