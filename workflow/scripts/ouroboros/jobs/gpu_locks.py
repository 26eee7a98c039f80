"""Which of a machine's GPUs a job may use: each job takes its own, by a lock on a file per device.

Snakemake counts GPUs but hands none out. A lock (flock) is the kernel's: it is gone when the job
is, however that ended. Nothing here starts CUDA, which reads CUDA_VISIBLE_DEVICES but once.
"""

import fcntl
import logging
import os
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ouroboros.errors import UserError

log = logging.getLogger("ouroboros")

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOCKS = Path("/tmp", f"ouroboros-gpus-{os.getuid()}")  # not TMPDIR, which can differ between jobs
FREE = 0.5  # share of a device's memory that has to be free for a job to take it
PAUSE = 5.0  # seconds between two looks at devices that are all in use
SAY = 600.0  # seconds between two words about it

_held = ExitStack()  # the lock files of this process: open, hence locked, until it ends
_names = []


class Device(NamedTuple):
    """A GPU, or a MIG instance of one."""

    name: str  # GPU-... or MIG-...: what CUDA_VISIBLE_DEVICES takes without ambiguity
    index: str  # nvidia-smi's number; of a MIG instance its GPU's, a colon and its own
    free: float | None  # share of its memory; None where nvidia-smi does not tell


def take(count: int, folder: Path = LOCKS, pause: float = PAUSE) -> list[str]:
    """Take `count` devices until this process ends, and let CUDA see these alone.

    Returns their names; none where nvidia-smi knows no GPU or CUDA_VISIBLE_DEVICES allows none.
    Waits, and says so, while too few are free; UserError where there are too few at all.
    """
    given, said = os.environ.get(VISIBLE), None
    while len(_names) < count:
        candidates = allowed(devices(), given)
        if not candidates:
            return []
        if len(candidates) < count:
            where = "this machine has" if given is None else f"{VISIBLE}={given} allows"
            raise UserError(
                f"This job wants {count} GPUs, but {where} {len(candidates)}. Lower `gpu` of its "
                "`resources` in the configuration."
            )
        names, refusals = _lock(count, candidates, folder)
        if names:
            _names[:] = names
            os.environ[VISIBLE] = ",".join(names)
            for refusal in refusals:
                log.warning("Passed over: %s.", refusal)
            log.info("This job computes on %s.", os.environ[VISIBLE])
        else:
            if said is None or time.monotonic() - said >= SAY:
                said = time.monotonic()
                log.warning("Waiting for %d GPUs: %s.", count, "; ".join(refusals))
            time.sleep(pause)
    return _names[:count]


def devices() -> list[Device]:
    """What nvidia-smi lists: GPUs, and in place of those that are cut up their MIG instances."""
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
            found.append(Device(gpu[2], gpu[1], free.get(gpu[2])))
        elif instance := re.match(r"\s+MIG .*Device +(\d+): \(UUID: (MIG-[^)]+)\)", line):
            instances.append(Device(instance[2], f"{found[-1].index}:{instance[1]}", None))
    cut_up = {instance.index.split(":")[0] for instance in instances}
    return [device for device in found if device.index not in cut_up] + instances


def allowed(known: list[Device], given: str | None) -> list[Device]:
    """Those of `known` that CUDA_VISIBLE_DEVICES names (numbers, UUIDs or beginnings of these).

    As in CUDA, an empty value or -1 allows none, and what stands behind it does not count.
    """
    if given is None or not known:
        return known
    chosen = []
    for word in (word.strip() for word in given.split(",")):
        if word in ("", "-1", "NoDevFiles"):
            break
        same = [
            device for device in known
            if word == device.index or (not word.isdecimal() and device.name.startswith(word))
        ]  # fmt: skip
        if len(same) != 1:
            raise UserError(
                f"{VISIBLE}={given}: {word!r} is {'none' if not same else 'more than one'} of this "
                f"machine's GPUs. nvidia-smi lists {', '.join(f'{d.index} ({d.name})' for d in known)}."
            )
        chosen += same
    return list(dict.fromkeys(chosen))


def driver() -> str:
    """Version of the NVIDIA driver; "unknown" where nvidia-smi does not tell."""
    found = _nvidia_smi("--query-gpu=driver_version", "--format=csv,noheader").split()
    return found[0] if found else "unknown"


def _lock(count, candidates, folder):
    """Lock all `count` devices or none; their names, and why others were passed over."""
    names, refusals = [], []
    with ExitStack() as files:
        # One job chooses at a time: else two that want two each could hold one each for ever.
        choosing = files.enter_context(_open(folder, "choosing"))
        fcntl.flock(choosing, fcntl.LOCK_EX)
        with ExitStack() as locked:
            for device in candidates:
                if len(names) == count:
                    break
                if device.free is not None and device.free < FREE:
                    refusals.append(
                        f"GPU {device.index}, of whose memory other programs hold {1 - device.free:.0%}"
                    )
                    continue
                file = locked.enter_context(_open(folder, device.name.replace("/", "_")))
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    holder = file.read().strip() or "?"
                    refusals.append(f"GPU {device.index}, which process {holder} computes on")
                    continue
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
                names.append(device.name)
            if len(names) < count:
                return [], refusals
            _held.push(locked.pop_all())
    return names, refusals


def _open(folder, name):
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder} belongs to another user; it has to be yours. Remove it.")
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    return open(os.open(folder / name, flags, 0o600), "r+", encoding="ascii")


def _nvidia_smi(*arguments):
    """Its output; empty where it is not there or fails, as on a machine without a GPU."""
    try:
        return subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, check=True, timeout=120
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
