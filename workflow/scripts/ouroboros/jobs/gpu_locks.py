"""Give each job GPUs of its own on a shared machine, by a file lock per GPU.

Snakemake counts GPUs but does not assign them. The operating system releases a lock (flock) when
the job ends, however it ends. Nothing here starts CUDA, which reads CUDA_VISIBLE_DEVICES only once.
"""

import logging
import os
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ouroboros.errors import UserError
from ouroboros.storage.locks import lock

log = logging.getLogger("ouroboros")

VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
LOCK_FOLDER = Path("/tmp", f"ouroboros-gpus-{os.getuid()}")  # TMPDIR can differ between jobs
LEAST_FREE = 0.5  # share of a GPU's memory that has to be free for a job to take it
PAUSE = 5.0  # seconds between two attempts while too few GPUs are free
REMIND = 600.0  # seconds between two warnings about it

_lock_files = ExitStack()  # of this process: open, hence locked, until it ends
_names = []


class GPU(NamedTuple):
    """A GPU, or a MIG instance of one."""

    name: str  # GPU-... or MIG-...: what CUDA_VISIBLE_DEVICES takes without ambiguity
    index: str  # nvidia-smi's number; of a MIG instance its GPU's, a colon and its own
    free: float | None  # share of its memory; None where nvidia-smi does not give it


def lock_gpus(count: int, folder: Path = LOCK_FOLDER, pause: float = PAUSE) -> list[str]:
    """Lock `count` GPUs until this process ends, and make CUDA see only these.

    Returns their names; none where nvidia-smi lists no GPU or CUDA_VISIBLE_DEVICES allows none.
    Waits, with a warning, while too few are free; UserError where the machine has too few.
    """
    given, warned = os.environ.get(VISIBLE_DEVICES), None
    while len(_names) < count:
        candidates = visible_gpus(list_gpus(), given)
        if not candidates:
            return []
        instances = [gpu for gpu in candidates if gpu.name.startswith("MIG-")]
        if count > 1:  # CUDA shows a process one MIG instance, however many it is allowed
            candidates = [gpu for gpu in candidates if gpu not in instances]
        if len(candidates) < count:
            where = "this machine has" if given is None else f"{VISIBLE_DEVICES}={given} allows"
            whole = " besides MIG instances, of which a job can have one" if instances else ""
            raise UserError(
                f"This job wants {count} GPUs, but {where} {len(candidates)}{whole}. Lower `gpu` of its "
                "`resources` in the configuration."
            )
        names, refusals = _lock(count, candidates, folder)
        if names:
            _names[:] = names
            os.environ[VISIBLE_DEVICES] = ",".join(names)
            for refusal in refusals:
                log.warning("Passed over: %s.", refusal)
            log.info("This job computes on %s.", os.environ[VISIBLE_DEVICES])
        else:
            if warned is None or time.monotonic() - warned >= REMIND:
                warned = time.monotonic()
                log.warning("Waiting for %d GPUs: %s.", count, "; ".join(refusals))
            time.sleep(pause)
    return _names[:count]


def list_gpus() -> list[GPU]:
    """The GPUs that nvidia-smi lists; one that is partitioned by MIG is replaced by its instances."""
    listing = _nvidia_smi("-L")
    memory = _nvidia_smi(
        "--query-gpu=uuid,memory.total,memory.used", "--format=csv,noheader,nounits"
    )
    free = {}
    for line in memory.splitlines():
        name, *sizes = (field.strip() for field in line.split(","))
        if len(sizes) == 2 and all(size.isdecimal() for size in sizes):
            free[name] = 1 - int(sizes[1]) / max(int(sizes[0]), 1)
    found, instances = [], []
    for line in listing.splitlines():
        if gpu := re.match(r"GPU (\d+): .*\(UUID: (GPU-[^)]+)\)", line):
            found.append(GPU(gpu[2], gpu[1], free.get(gpu[2])))
        elif instance := re.match(r"\s+MIG .*Device +(\d+): \(UUID: (MIG-[^)]+)\)", line):
            instances.append(GPU(instance[2], f"{found[-1].index}:{instance[1]}", None))
    partitioned = {instance.index.split(":")[0] for instance in instances}
    return [gpu for gpu in found if gpu.index not in partitioned] + instances


def visible_gpus(known: list[GPU], given: str | None) -> list[GPU]:
    """The GPUs of `known` that `given`, the value of CUDA_VISIBLE_DEVICES, names; all without one.

    It holds numbers, UUIDs or prefixes of UUIDs. As in CUDA, an empty entry or -1 ends the list.
    """
    if given is None or not known:
        return known
    chosen = []
    for word in (word.strip() for word in given.split(",")):
        if word in ("", "-1", "NoDevFiles"):
            break
        same = [
            gpu for gpu in known
            if word == gpu.index or (not word.isdecimal() and gpu.name.startswith(word))
        ]  # fmt: skip
        if not same:  # the number of a GPU that is cut up is its first instance's
            same = [gpu for gpu in known if gpu.index == f"{word}:0"]
        if len(same) != 1:
            raise UserError(
                f"{VISIBLE_DEVICES}={given}: {word!r} is {'none' if not same else 'more than one'} of "
                "this machine's GPUs. nvidia-smi lists "
                f"{', '.join(f'{gpu.index} ({gpu.name})' for gpu in known)}."
            )
        chosen += same
    return list(dict.fromkeys(chosen))


def driver_version() -> str:
    """Version of the NVIDIA driver; "unknown" where nvidia-smi does not give it."""
    found = _nvidia_smi("--query-gpu=driver_version", "--format=csv,noheader").split()
    return found[0] if found else "unknown"


def _lock(count, candidates, folder):
    """Lock `count` GPUs or none: their names, and why others were passed over."""
    names, refusals = [], []
    with ExitStack() as files:
        # One job chooses at a time: else two jobs that want two each could hold one each for ever.
        choosing = files.enter_context(_open(folder, "choosing"))
        lock(choosing, f"Two jobs may take one GPU: {folder} has to be on another.")
        with ExitStack() as locked:
            for gpu in candidates:
                if len(names) == count:
                    break
                if gpu.free is not None and gpu.free < LEAST_FREE:
                    refusals.append(
                        f"GPU {gpu.index}, of whose memory other programs hold {1 - gpu.free:.0%}"
                    )
                    continue
                file = locked.enter_context(_open(folder, gpu.name.replace("/", "_")))
                if not lock(file, f"Another job may take GPU {gpu.index} too.", wait=False):
                    holder = file.read().strip() or "?"
                    refusals.append(f"GPU {gpu.index}, which process {holder} computes on")
                    continue
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
                names.append(gpu.name)
            if len(names) < count:
                return [], refusals
            _lock_files.push(locked.pop_all())
    return names, refusals


def _open(folder, name):
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder} belongs to another user; it has to be yours. Remove it.")
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    return open(os.open(folder / name, flags, 0o600), "r+", encoding="ascii")


def _nvidia_smi(*arguments):
    """The output of nvidia-smi; empty where it is missing or fails, as on a machine without a GPU."""
    try:
        return subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, check=True, timeout=120
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
