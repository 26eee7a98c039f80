"""The processes of a team, from their start to their end: none outlives the job, none is waited for in vain.

The leader is the job's own process; it starts the others (worker.py), and watches them. They
end with it, however it ends: the kernel kills them when it is gone (Linux's parent-death signal).
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
from ouroboros.jobs import gpu_locks as gpus
from ouroboros.jobs import signals as stopping
from ouroboros.training.data_parallel import ALONE, Team

PACKAGES = Path(__file__).parents[2]
GRACE = 10.0  # seconds in which the leader says itself what went wrong, before it is ended
END = 60.0  # seconds that processes get for their end once the training is done
log = logging.getLogger("ouroboros")


@contextlib.contextmanager
def team(job, states, size: int, device: torch.device, threads: int, log_file=None):
    """`size` processes that train `job` (a TrainingJob) together; the leader's place among them.

    `threads` of the CPU are for all of them together. What the others have to say is appended to
    `log_file`. UserError where one of them ends before its time.
    """
    if size == 1:
        yield ALONE
        return
    torch.set_num_threads(max(1, threads // size))
    with tempfile.TemporaryDirectory(prefix="ouroboros-team-") as folder:
        order = {
            "job": asdict(job), "states": [str(states.folder), states.digest], "size": size,
            "store": f"{folder}/store", "device": device.type, "threads": torch.get_num_threads(),
            "leader": os.getpid(),
        }  # fmt: skip
        members = _Members(order, log_file)
        try:
            with members.watched():
                yield Team.join(0, size, device, order["store"])
                members.end(END)
            dist.destroy_process_group()
        except RuntimeError as error:  # how torch says that a process does not answer
            if gone := members.gone(GRACE / 2):
                raise UserError(gone) from error
            raise
        finally:
            members.end(0)


class _Members:
    """All processes but the leader."""

    def __init__(self, order, log_file):
        self.processes = []
        self.done = threading.Event()
        try:
            for rank in range(1, order["size"]):
                self.processes.append(_start({**order, "rank": rank}, log_file))
        except BaseException:
            self.end(0)
            raise

    @contextlib.contextmanager
    def watched(self):
        """Within it, this process ends soon after one of the others: it would wait for it for ever."""
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            yield
        finally:
            self.done.set()

    def _watch(self):
        while not self.done.wait(0.5):
            gone = self.gone(0)
            if gone and not self.done.wait(GRACE):
                log.error("error: %s", gone)
                print(f"\nerror: {gone}\n", file=sys.stderr, flush=True)
                os._exit(1)

    def gone(self, seconds: float) -> str | None:
        """What is to be said of a process that has failed, or fails within some seconds."""
        end = time.monotonic() + seconds
        while True:
            for rank, process in enumerate(self.processes, 1):
                if process.poll():
                    return (
                        f"Process {rank + 1} of the {len(self.processes) + 1} of this training job "
                        f"ended {_how(process.returncode)}; a training job needs all of them. "
                        "What it said is above, in the job's log. The same command again carries "
                        "on from the last state."
                    )
            if time.monotonic() >= end:
                return None
            time.sleep(0.1)

    def end(self, seconds: float):
        """Let them end by themselves for some seconds, then kill them; none is left afterwards."""
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
            process.wait()


def _how(status):
    if status == -signal.SIGKILL:
        return "by SIGKILL (the kernel does that where memory runs out: raise `mem_mb`)"
    return f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"


def _start(order, log_file):
    environment = {**os.environ, gpus.VISIBLE: _device(order["rank"])}
    paths = [str(PACKAGES), os.environ.get("PYTHONPATH")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(open(log_file, "ab")) if log_file else None
        # Blocked here, blocked there for good: the leader alone answers signals, then ends the rest.
        signal.pthread_sigmask(signal.SIG_BLOCK, stopping.SIGNALS)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ouroboros.training.worker"], env=environment,
                stdin=subprocess.PIPE, stdout=output, stderr=output, text=True,
            )  # fmt: skip
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, stopping.SIGNALS)
    with contextlib.suppress(BrokenPipeError):  # it has ended: the watch will say so
        process.stdin.write(json.dumps(order))
        process.stdin.close()
    return process


def _device(rank):
    """The GPU of a process among those that this job has taken."""
    visible = os.environ.get(gpus.VISIBLE)
    return str(rank) if visible is None else [*visible.split(","), *["" for _ in range(rank)]][rank]
