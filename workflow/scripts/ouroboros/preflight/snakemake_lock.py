"""Whether a lock of Snakemake's, which names no process, is in use or was left behind."""

import os
from pathlib import Path

UNLOCK = "snakemake --unlock"


def lock_note(folder: Path, processes: Path = Path("/proc")) -> str | None:
    """A word about the lock in `folder`, the folder that snakemake runs in; None without one."""
    if not any(Path(folder, ".snakemake/locks").glob("*.lock")):
        return None
    others = _others(folder, processes)
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


def _others(folder, processes):
    """The processes, not this one nor those it descends from, that are a snakemake in `folder`."""
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
            # behind the name, which is in parentheses and can hold anything: state, parent
            stat = (processes / str(process) / "stat").read_text()
            process = int(stat.rpartition(")")[2].split()[1])
        except OSError:
            break
    return found
