"""Ask SLURM before any job is submitted: does it accept the requests, do earlier jobs still run?"""

import contextlib
import getpass
import math
import shlex
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

from ouroboros.errors import UserError

# part of an error message of sbatch -> what to set; the first part that occurs counts
REMEDIES = {
    "account": "Give an account of yours (`sacctmgr show associations user=$USER`) as `account`",
    "partition": "Give one that `sinfo` lists as `partition`, for GPU jobs as `gpu_partition`",
    "configuration is not available": (
        "No node there has all of this (`sinfo -o '%P %c %m %G'` lists their CPUs, memory and "
        "GPUs). Lower `gpu`, `threads` or `mem_mb` of that rule under `resources`, or change "
        "`gpu_partition` and `gpu_model`"
    ),
}
# file systems (`stat -f -c %T`) that are local to a machine, unless it exports them
LOCAL_FILE_SYSTEMS = {"ext2/ext3", "xfs", "btrfs", "zfs", "tmpfs", "ramfs", "overlayfs", "f2fs"}
DEFAULT_REMEDY = "Look at `account`, `partition`, `gpu_partition` and `gpu_model`"


def sbatch_flags(resources: dict, threads: int) -> tuple[str, ...]:
    """The options of sbatch for a job with these resources (Snakemake's names; MB and minutes)."""
    gpus, model = resources.get("gpu"), resources.get("gpu_model")
    requested = {
        "partition": resources.get("slurm_partition"),
        "account": resources.get("slurm_account"),
        "gpus": f"{model}:{gpus}" if gpus and model else gpus,
        "mem": resources.get("mem_mb"),
        "time": resources.get("runtime"),
        "cpus-per-task": threads,
        "nodes": resources.get("nodes"),
    }
    return tuple(f"--{key}={value}" for key, value in requested.items() if value)


def check_request(rule: str, request: tuple[str, ...]):
    """Raise UserError, with SLURM's message and a remedy, where it would refuse such a job."""
    answer = _run("sbatch", "--test-only", *request, "--wrap=true")
    if answer.returncode:
        message = " ".join(answer.stderr.split())
        remedies = (text for part, text in REMEDIES.items() if part in message.lower())
        remedy = next(remedies, DEFAULT_REMEDY)
        raise UserError(
            f"SLURM refuses the jobs of {rule}: {message} (asked for {' '.join(request)}). "
            f"{remedy} under `cluster` in the configuration; docs/cluster.md goes through them."
        )


def check_time_limit(rule: str, partition: str | None, minutes: int):
    """Raise UserError where a job may ask for more minutes than its partition allows.

    SLURM usually accepts such a job, and never starts it.
    """
    for line in _run("sinfo", "--noheader", "--format=%P %l").stdout.splitlines():
        name, limit = line.split()
        chosen = name.rstrip("*") == partition if partition else name.endswith("*")  # the default
        if chosen and minutes > _minutes(limit):
            raise UserError(
                f"The jobs of {rule} ask for up to {minutes} minutes (as often as they are tried, "
                f"times `runtime` under `resources`), but the partition {name.rstrip('*')} gives "
                f"{_minutes(limit)} at most: they would wait for ever. Set `max_runtime: "
                f"{_minutes(limit)}` under `cluster` in the configuration: a job that is cut off "
                "carries on where it was."
            )


def _minutes(limit):
    """Minutes of SLURM's [days-]hours:minutes:seconds, minutes:seconds or infinite."""
    if not limit[0].isdecimal():  # infinite
        return math.inf
    days, _, time = limit.rpartition("-")
    *hours, minutes, _ = map(int, time.split(":"))
    return 1440 * int(days or 0) + 60 * sum(hours) + minutes


def check_no_jobs(folder: Path):
    """Raise UserError where jobs of an earlier run are still queued or running in this folder."""
    answer = _run("squeue", f"--user={getpass.getuser()}", "--noheader", "--format=%i|%Z")
    lines = [line.split("|", 1) for line in answer.stdout.splitlines() if "|" in line]
    jobs = [job for job, place in lines if place == str(folder)]
    if jobs:
        raise UserError(
            f"{len(jobs)} SLURM jobs of an earlier run still work in {folder}: two would write the "
            f"same files. Wait until they are done, or end them (what they have done is kept): "
            f"scancel {' '.join(jobs)}"
        )


def check_shared_paths(written: list[Path], read: dict[Path, str], request: tuple[str, ...]):
    """Raise UserError where a compute node does not see a folder to write or a path to read.

    `read` maps each path to its remedy. Only paths on a file system local to this machine are
    looked for, by a job of a second with the account and partition of `request`. Where no node is
    free within 20 s, the check passes.
    """
    remedies = dict.fromkeys(written, "Run in a folder, or name one with `--directory`,") | read
    paths = [path for path in remedies if _file_system(path) in LOCAL_FILE_SYSTEMS]
    if not paths:
        return
    with contextlib.ExitStack() as markers:
        # /tmp, for example, is on every node: look for a file in the folder, not for its name
        targets = [
            markers.enter_context(NamedTemporaryFile(dir=path, prefix=".seen-by-nodes-")).name
            if path in written
            else str(path)
            for path in paths
        ]
        script = " ".join(f"test -e {shlex.quote(target)}; echo seen:$?;" for target in targets)
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
