"""Launch and supervise the worker processes of a training job; all of them end with the job.

Rank 0 is the job's own process. It starts the others (worker.py) and watches them. They end with
it, however it ends: the kernel kills them when it is gone (Linux's parent-death signal).

torch.multiprocessing's start_processes is not used: its children import the main module, which in a
job of Snakemake is the script itself, and would run the job again; and it asks the kernel for a
SIGINT at the parent's death, which a process that hangs or is stopped does not act on.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

import torch
import torch.distributed as dist

from ouroboros.errors import UserError
from ouroboros.jobs import gpu_locks, signals
from ouroboros.training.data_parallel import ALONE, ProcessGroup

PACKAGES = Path(__file__).parents[2]
GRACE = 10.0  # seconds for rank 0 to report an error itself, before it is ended
SHUTDOWN = 60.0  # seconds for workers to end by themselves when the training is done
log = logging.getLogger("ouroboros")


@contextlib.contextmanager
def process_group(job, states, world_size: int, device: torch.device, threads: int, log_file=None):
    """Train `job` (a TrainingJob) in `world_size` processes; yields rank 0's ProcessGroup.

    `threads` of the CPU are divided among them. The workers' output is appended to `log_file`.
    UserError where a worker fails.
    """
    if world_size == 1:
        yield ALONE
        return
    torch.set_num_threads(max(1, threads // world_size))
    with tempfile.TemporaryDirectory(prefix="ouroboros-training-") as folder:
        assignment = {
            "job": asdict(job), "states": [str(states.folder), states.digest],
            "world_size": world_size, "store": f"{folder}/store", "device": device.type,
            "threads": torch.get_num_threads(), "parent": os.getpid(),
        }  # fmt: skip
        workers = _Workers(assignment, log_file)
        try:
            with workers.watched():
                yield ProcessGroup.join(0, world_size, device, assignment["store"])
                # every process leaves the group before any ends: NCCL waits for all, without a limit
                dist.destroy_process_group()
                workers.end(SHUTDOWN)
        except RuntimeError as error:  # torch's error when a process does not answer
            if failure := workers.failure(GRACE / 2):
                raise UserError(failure) from error
            raise
        finally:
            workers.end(0)


class _Workers:
    """The processes of ranks 1 and up."""

    def __init__(self, assignment, log_file):
        self.processes = []
        self.done = threading.Event()
        try:
            for rank in range(1, assignment["world_size"]):
                self.processes.append(_start({**assignment, "rank": rank}, log_file))
        except BaseException:
            self.end(0)
            raise

    @contextlib.contextmanager
    def watched(self):
        """Within it, end this process soon after a worker fails: it would wait for it for ever."""
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            yield
        finally:
            self.done.set()

    def _watch(self):
        while not self.done.wait(0.5):
            failure = self.failure(0)
            if failure and not self.done.wait(GRACE):
                log.error("error: %s", failure)
                print(f"\nerror: {failure}\n", file=sys.stderr, flush=True)
                os._exit(1)

    def failure(self, seconds: float) -> str | None:
        """The message about a worker that has failed, or fails within some seconds; else None."""
        end = time.monotonic() + seconds
        while True:
            for rank, process in enumerate(self.processes, 1):
                if process.poll():
                    return (
                        f"Process {rank + 1} of the {len(self.processes) + 1} of this training job "
                        f"ended {_how(process.returncode)}; a training job needs all of them. "
                        "Its own messages are above, in the job's log. The same command again "
                        "resumes from the last state."
                    )
            if time.monotonic() >= end:
                return None
            time.sleep(0.1)

    def end(self, seconds: float):
        """Let the workers end by themselves for some seconds, then kill those that are left."""
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
            process.wait()


def _how(status):
    if status == -signal.SIGKILL:
        return "by SIGKILL (the kernel does that where memory runs out: raise `mem_mb`)"
    return f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"


def _start(assignment, log_file):
    environment = {**os.environ, gpu_locks.VISIBLE_DEVICES: _device(assignment["rank"])}
    paths = [str(PACKAGES), os.environ.get("PYTHONPATH")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(open(log_file, "ab")) if log_file else None
        # Inherited, and never unblocked there: rank 0 alone handles signals, then ends the workers.
        signal.pthread_sigmask(signal.SIG_BLOCK, signals.SIGNALS)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ouroboros.training.worker"], env=environment,
                stdin=subprocess.PIPE, stdout=output, stderr=output, text=True,
            )  # fmt: skip
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.SIGNALS)
    with contextlib.suppress(BrokenPipeError):  # it has ended already: the watch reports it
        process.stdin.write(json.dumps(assignment))
        process.stdin.close()
    return process


def _device(rank):
    """The GPU of a rank among those that this job has taken."""
    visible = os.environ.get(gpu_locks.VISIBLE_DEVICES)
    return str(rank) if visible is None else [*visible.split(","), *["" for _ in range(rank)]][rank]
