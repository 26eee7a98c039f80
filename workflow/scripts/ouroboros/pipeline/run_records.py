"""Records of runs, which `make status` reads: the configuration of each, its jobs, and how it ended.

A record is a file of logs/runs/. No rule declares it, so it is nobody's input and reruns nothing.
"""

import json
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from ouroboros.errors import DamagedArtifact
from ouroboros.preflight.file_times import TOLERANCE
from ouroboros.storage.atomic import read_json, write_text

FOLDER = Path("logs/runs")
DONE, FAILED = "done", "failed"  # how a run says that it ended; one that is killed says nothing


def begin(run: dict) -> Path:
    """Write the record of a run that starts now in this folder; return its path.

    `run`: `targets`, `executor`, `cores` and `gpus` (at most at once; None without a limit),
    `snakemake_log`, `resolved` (see config/resolve.py) and `jobs`, the list of those that it has to
    do: `rule`, `wildcards`, `input` (its corpora alone), `output`, `log`, `threads`, `gpus`, and `after`
    (places in this list). Records that this one makes obsolete go: of runs that are over, and of runs of the
    same lineages.
    """
    own = lineages(run)
    for path, other in read_all():
        over = other["ended"] or is_alive(other) is False
        if over or (is_alive(other) is None and lineages(other) & own):
            path.unlink(missing_ok=True)
    run = {
        "started": time.time(), "ended": None, "outcome": None, "host": socket.gethostname(),
        "pid": os.getpid(), **run,
    }  # fmt: skip
    path = FOLDER / f"{run['started']:.3f}-{run['pid']}.json"
    _write(path, run)
    return path


def end(path: Path, outcome: str):
    """Note in a run's record that it ended now; nothing where a user removed the record."""
    if path.exists():
        _write(path, {**read_json(path), "ended": time.time(), "outcome": outcome})


def read_all() -> list[tuple[Path, dict]]:
    """The records of this folder, the oldest run first; without any that cannot be read."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        try:
            found.append((path, read_json(path)))
        except (DamagedArtifact, FileNotFoundError):  # of another version, or removed meanwhile
            continue
    return found


def lineages(run: dict) -> set[str]:
    """The lineages that a run's targets or jobs are of."""
    return set(lineages_of(run["targets"], run["resolved"])) | {
        job["wildcards"]["lineage"] for job in run["jobs"] if "lineage" in job["wildcards"]
    }


def lineages_of(targets: Iterable[str], resolved: dict) -> list[str]:
    """The lineages that targets name: as a lineage, a comparison, `all`, or in a path."""
    groups = {name: [name] for name in resolved["lineages"]} | resolved["comparisons"]
    groups["all"] = [name for members in resolved["comparisons"].values() for name in members]
    named = {member for target in targets for member in groups.get(target, ())}
    return [name for name in resolved["lineages"] if name in named]


def is_alive(run: dict) -> bool | None:
    """Tell whether a run's Snakemake is still there; None where it is one of another machine."""
    if run["host"] != socket.gethostname():
        return None
    try:
        process = psutil.Process(run["pid"])
        # a number is given out again: a process that began later is another one
        began = process.create_time() < run["started"] + TOLERANCE
        return began and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _write(path, run):
    write_text(path, json.dumps(run, allow_nan=False) + "\n")
