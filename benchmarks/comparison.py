"""The comparison of two sides: rates, ratios, peak memory, and the share of the machine's limit."""

import json
import platform
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import common
import limit
import sides
import torch
from report import report


@dataclass(frozen=True)
class Work:
    """The work of one token on a machine, and how many tokens come at once."""

    rows: int  # tokens in one matrix product
    flop: float
    cache_bytes: float = 0.0  # keys and values that are read
    dtype: torch.dtype = torch.float32


def compare(options, what: str, against: str, ours: tuple, theirs: tuple, work: Work):
    """Run both sides in alternation, print the report, write the JSON.

    `ours` and `theirs` are `(prepare, *arguments)`; a repeat of what that prepares returns tokens/s.
    The limit is measured in every round beside them.
    """
    settings = common.model_settings(options.model)
    calls = {
        "ours": ours,
        "theirs": theirs,
        "limit": (limit.prepare, settings, work.rows, work.dtype),
    }
    tuned = {"both": ("ours", "theirs"), "ours": ("ours",), "none": ()}[options.allocator]
    tuned += ("limit",)
    allocators = {name: sides.JOBS if name in tuned else {} for name in calls}
    try:
        running = {
            name: sides.Side(allocators[name], options.threads, *call)
            for name, call in calls.items()
        }
        rates = sides.alternate(running, options.repeats)
        memory = {name: side.peak_memory() for name, side in running.items()}
    except BrokenProcessPool:
        sys.exit("A side was killed: there may be too little memory. Try a smaller batch.")
    for side in running.values():
        side.close()
    ratios = [a / b for a, b in zip(rates["ours"], rates["theirs"], strict=True)]
    result = {"benchmark": Path(sys.argv[0]).stem, "what": what, "against": against}
    for name in ("ours", "theirs"):
        result[name] = {
            "rates": rates[name],
            **spread(rates[name]),
            "peak_memory_gb": memory[name],
            "allocator": allocators[name],
        }
    result |= {
        "ratios": ratios,
        "ratio": spread(ratios),
        "limit": share_of_limit(rates["ours"], rates["limit"], work),
        "machine": {
            "cpu": cpu(),
            "threads": options.threads,
            "python": platform.python_version(),
            "torch": version("torch"),
            "transformers": version("transformers"),
        },
        "settings": vars(options),
    }
    print(report(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result, indent=2, default=str)
        options.json.write_text(text + "\n", encoding="utf-8")


def share_of_limit(rates: list[float], measured: list[dict], work: Work) -> dict:
    """The tokens/s that arithmetic allows, and our share, each rate beside the limit of its round."""
    best = [max(one["gemm_gflops"].values()) for one in measured]
    own = [one["model_gflops"] for one in measured]
    read = [one["read_gb"] for one in measured]
    last = measured[-1]["gemm_gflops"]
    result = {
        "gemm_gflops": median(best),
        "gemm_shape": max(last, key=last.get),
        "precision": str(work.dtype).removeprefix("torch."),
        "read_gb": median(read),
        "copy_gb": median(one["copy_gb"] for one in measured),
        "mflop_per_token": work.flop / 1e6,
        "tokens_per_second": median(best) * 1e9 / work.flop,
        "share": median(a * work.flop / b / 1e9 for a, b in zip(rates, best, strict=True)),
        "model_gflops": median(own),
        "model_share": median(a * work.flop / b / 1e9 for a, b in zip(rates, own, strict=True)),
        "measured": measured,
    }
    if work.cache_bytes:
        result["cache_mb_per_token"] = work.cache_bytes / 1e6
        result["cache_share"] = median(
            a * work.cache_bytes / b / 1e9 for a, b in zip(rates, read, strict=True)
        )
    return result


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def cpu() -> str:
    """The processor's name."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
