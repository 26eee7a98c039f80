"""What SLURM says before any job is handed to it: whether it would take a request, and what still runs."""

import contextlib
import getpass
import math
import shlex
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

from ouroboros.errors import UserError

# what sbatch says (a part of it), and what is to be set; the first that fits
REMEDIES = {
    "account": "Give an account of yours (`sacctmgr show associations user=$USER`) as `account`",
    "partition": "Give one that `sinfo` lists as `partition`, for GPU jobs as `gpu_partition`",
    "configuration is not available": (
        "No node there has all of this (`sinfo -o '%P %c %m %G'` lists their CPUs, memory and "
        "GPUs). Lower `gpu`, `threads` or `mem_mb` of that rule under `resources`, or change "
        "`gpu_partition` and `gpu_model`"
    ),
}
# kinds of file systems (`stat -f -c %T`) that belong to one machine, unless it serves them to others
OF_ONE_MACHINE = {"ext2/ext3", "xfs", "btrfs", "zfs", "tmpfs", "ramfs", "overlayfs", "f2fs"}
OTHERWISE = "Look at `account`, `partition`, `gpu_partition` and `gpu_model`"


def flags(resources: dict, threads: int) -> tuple[str, ...]:
    """What sbatch is asked for a job with these resources (Snakemake's names; MB and minutes)."""
    gpus, model = resources.get("gpu"), resources.get("gpu_model")
    asked = {
        "partition": resources.get("slurm_partition"),
        "account": resources.get("slurm_account"),
        "gpus": f"{model}:{gpus}" if gpus and model else gpus,
        "mem": resources.get("mem_mb"),
        "time": resources.get("runtime"),
        "cpus-per-task": threads,
        "nodes": resources.get("nodes"),
    }
    return tuple(f"--{key}={value}" for key, value in asked.items() if value)


def check_request(rule: str, request: tuple[str, ...]):
    """UserError with SLURM's own words, and ours, where it would refuse such a job."""
    answer = _run("sbatch", "--test-only", *request, "--wrap=true")
    if answer.returncode:
        said = " ".join(answer.stderr.split())
        remedy = next((text for part, text in REMEDIES.items() if part in said.lower()), OTHERWISE)
        raise UserError(
            f"SLURM refuses the jobs of {rule}: {said} (asked for {' '.join(request)}). "
            f"{remedy} under `cluster` in the configuration; docs/cluster.md goes through them."
        )


def check_time(rule: str, partition: str | None, minutes: int):
    """UserError where a job may come to ask for more minutes than its partition gives.

    SLURM takes such a job, as a rule, and never starts it.
    """
    for line in _run("sinfo", "--noheader", "--format=%P %l").stdout.splitlines():
        name, limit = line.split()
        is_it = name.rstrip("*") == partition if partition else name.endswith("*")
        if is_it and minutes > _minutes(limit):
            raise UserError(
                f"The jobs of {rule} ask for up to {minutes} minutes (as often as they are tried, "
                f"times `runtime` under `resources`), but the partition {name.rstrip('*')} gives "
                f"{_minutes(limit)} at most: they would wait for ever. Set `max_runtime: "
                f"{_minutes(limit)}` under `cluster` in the configuration: a job that is cut off "
                "carries on where it was."
            )


def _minutes(limit):
    """Minutes of SLURM's [days-]hours:minutes:seconds or minutes:seconds."""
    if not limit[0].isdecimal():  # infinite
        return math.inf
    days, _, time = limit.rpartition("-")
    *hours, minutes, _ = map(int, time.split(":"))
    return 1440 * int(days or 0) + 60 * sum(hours) + minutes


def check_folder(folder: Path):
    """UserError where jobs of an earlier run are still queued or at work in this folder."""
    answer = _run("squeue", f"--user={getpass.getuser()}", "--noheader", "--format=%i|%Z")
    lines = [line.split("|", 1) for line in answer.stdout.splitlines() if "|" in line]
    jobs = [job for job, place in lines if place == str(folder)]
    if jobs:
        raise UserError(
            f"{len(jobs)} SLURM jobs of an earlier run still work in {folder}: two would write the "
            f"same files. Wait until they are done, or end them (what they have done is kept): "
            f"scancel {' '.join(jobs)}"
        )


def check_shared(written: list[Path], read: dict[Path, str], request: tuple[str, ...]):
    """UserError where a compute node does not see a folder that is written, or a path that is read.

    `read` has what to do for each. Only what lies on a disk of this machine is looked for, by a job
    of a second with the account and partition of `request`. Where no node is free within 20 s,
    nothing is said.
    """
    remedies = dict.fromkeys(written, "Run in a folder, or name one with `--directory`,") | read
    paths = [path for path in remedies if _file_system(path) in OF_ONE_MACHINE]
    if not paths:
        return
    with contextlib.ExitStack() as markers:
        # /tmp, for one, is on every node: not the folder's name is looked for, but a file in it
        looks = [
            markers.enter_context(NamedTemporaryFile(dir=path, prefix=".seen-by-nodes-")).name
            if path in written
            else str(path)
            for path in paths
        ]
        script = " ".join(f"test -e {shlex.quote(look)}; echo seen:$?;" for look in looks)
        where = [flag for flag in request if flag.startswith(("--partition", "--account"))]
        answer = _run(
            "srun", "--immediate=20", "--time=1", "--ntasks=1", "--mem=50", "--chdir=/",
            *where, "sh", "-c", script,
        )  # fmt: skip
    seen = [line for line in answer.stdout.splitlines() if line.startswith("seen:")]
    for path, line in zip(paths, seen, strict=False):
        if line != "seen:0":
            raise UserError(
                f"A compute node does not see {path}, which is on a disk of this machine alone "
                f"({_file_system(path)}): jobs would fail there and leave no log. {remedies[path]} "
                "on the file system that this machine shares with the compute nodes."
            )


def _file_system(path):
    return _run("stat", "--file-system", "--format=%T", str(path)).stdout.strip()


def _run(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        raise UserError(
            f"There is no {command[0]} on this machine: profiles/slurm is for the login node of a "
            "SLURM cluster. Without the profile, jobs run on this machine."
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(
            f"SLURM does not answer: {command[0]} took more than 2 minutes. Try `sinfo`."
        ) from None
