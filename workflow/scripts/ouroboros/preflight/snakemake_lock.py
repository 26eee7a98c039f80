"""Tell whether Snakemake's lock on a folder, which names no process, is in use or left over."""

import os
from pathlib import Path

UNLOCK = "snakemake --unlock"


def describe_lock(folder: Path, processes: Path = Path("/proc")) -> str | None:
    """Say who holds the lock in `folder`, where snakemake runs, and what to do; None without a lock.

    `processes` is where the operating system lists its processes.
    """
    if not any(Path(folder, ".snakemake/locks").glob("*.lock")):
        return None
    others = _other_runs(folder, processes)
    if others:
        return (
            f"Another snakemake runs in {folder} (process {', '.join(map(str, others))}): while it "
            "does, a second one cannot make the same files. Wait for it, or stop it with Ctrl-C."
        )
    return (
        f"{folder} is locked, but no snakemake of yours runs in it on this machine: most likely "
        "the one that did was killed. If none runs on another machine that shares this disk "
        f"either, do `{UNLOCK}`, then the same command again."
    )


def _other_runs(folder, processes):
    """Ids of the processes that run snakemake in `folder`, without this one and its ancestors."""
    own, found = _ancestors(processes), []
    for place in processes.glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")[:3]
            here = os.path.samefile(place / "cwd", folder)
        except OSError:  # ended meanwhile, or another user's
            continue
        is_snakemake = any(os.path.basename(word) == b"snakemake" for word in words)
        if here and is_snakemake and int(place.name) not in own:
            found.append(int(place.name))
    return sorted(found)


def _ancestors(processes):
    process, found = os.getpid(), set()
    while process and process not in found:
        found.add(process)
        try:
            # after the name, which is in parentheses and can hold anything: state, parent
            stat = (processes / str(process) / "stat").read_text()
            process = int(stat.rpartition(")")[2].split()[1])
        except OSError:
            break
    return found
