"""Tell whether Snakemake's lock on a folder, which names no process, is in use or left over."""

import os
from pathlib import Path

UNLOCK = "snakemake --unlock"
SNAKEMAKE = {b"snakemake", b"snakemake_command.py"}  # the second: what .venv/bin/snakemake starts
RUN_LOGS = (
    ".snakemake/log"  # a run has its own open; so has a program that calls Snakemake's functions
)
JOB_SCRIPTS = b"/.snakemake/scripts/"  # a job is `python FOLDER/.snakemake/scripts/NAME.py`


def describe_lock(folder: Path, processes: Path = Path("/proc")) -> str | None:
    """Say who holds the lock in `folder`, where snakemake runs, and what to do; None without a lock.

    `processes` is where the operating system lists its processes (Linux; macOS has no such place).
    """
    if not is_locked(folder):
        return None
    if not (processes / str(os.getpid())).exists():
        return (
            f"{folder} is locked: another snakemake runs in it, or one that ran in it was killed. Which "
            "of the two cannot be told on this machine (it has no /proc): look with `ps -ax`. Only if "
            f"none runs, here or on another machine or in a container that shares this disk, do `{UNLOCK}`, "
            "then the same command again."
        )
    runs, jobs = _others(folder, processes)
    if runs:
        return (
            f"Another snakemake runs in {folder} (process {', '.join(map(str, runs))}): while it "
            "does, a second one cannot make the same files. Wait for it, or stop it with Ctrl-C."
        )
    if jobs:
        return (
            f"{folder} is locked. No snakemake of yours runs in it on this machine, most likely since "
            f"it was killed, but a job that it started does (process {', '.join(map(str, jobs))}). End it "
            f"with `kill {' '.join(map(str, jobs))}`, or wait for it; then do `{UNLOCK}`, and the same "
            "command again."
        )
    return (
        f"{folder} is locked, but no snakemake of yours runs in it on this machine: most likely "
        "the one that did was killed. If none runs on another machine or in a container that shares this "
        f"disk either, do `{UNLOCK}`, then the same command again."
    )


def is_locked(folder: Path) -> bool:
    """Tell whether there is a lock of Snakemake in `folder`."""
    return any(Path(folder, ".snakemake/locks").glob("*.lock"))


def _others(folder, processes):
    """Ids of the processes that run snakemake in `folder`, without this one and its ancestors, and of
    those that run a job of it.
    """
    own, runs, jobs = _ancestors(processes), [], []
    for place in processes.glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")[:3]
            if int(place.name) in own or not os.path.samefile(place / "cwd", folder):
                continue
            if any(JOB_SCRIPTS in word for word in words[1:2]):
                jobs.append(int(place.name))
            elif SNAKEMAKE & {*map(os.path.basename, words)} or (
                b"python" in os.path.basename(words[0]) and _has_log(place, folder)
            ):
                runs.append(int(place.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return sorted(runs), sorted(jobs)


def _has_log(place, folder):
    """True where a process has the log of a run in `folder` open."""
    logs = Path(folder, RUN_LOGS).resolve()
    return any(Path(os.readlink(file)).parent == logs for file in (place / "fd").iterdir())


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
