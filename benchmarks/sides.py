"""The sides of a comparison: each in a process of its own, run in turn, one computing at a time.

A process of its own gives a side its own peak memory, and its own allocator settings, which the C
library reads only when a process starts.
"""

import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

# what the workflow's jobs run with
JOBS = dict(
    re.findall(
        r'os\.environ\.setdefault\("(\w+)", "(\d+)"\)',
        (REPOSITORY / "workflow/rules/common.smk").read_text(),
    )
)
assert JOBS, "common.smk sets nothing for jobs any more"


class Side:
    """A process that calls `prepare(*arguments)` once, and then what that returned at every `repeat`.

    `environment` is what it has of the allocator's settings: all else it inherits.
    """

    def __init__(self, environment: dict, threads: int, prepare, *arguments):
        before = dict(os.environ)
        for name in JOBS:
            os.environ.pop(name, None)
        os.environ.update(environment)
        try:
            self.process = ProcessPoolExecutor(1, get_context("spawn"))
            self.process.submit(_prepare, threads, prepare, arguments).result()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def repeat(self):
        """One repeat; what it returns."""
        return self.process.submit(_repeat).result()

    def peak_memory(self) -> float:
        """The largest resident memory so far, in GB."""
        return self.process.submit(_peak_memory).result()

    def close(self):
        """End the process."""
        self.process.shutdown()


def alternate(sides: dict[str, Side], repeats: int) -> dict[str, list]:
    """Every side's results; in each round all sides run once, one after the other."""
    results = {name: [] for name in sides}
    for number in range(repeats):
        for name, side in sides.items():
            print(f"repeat {number + 1} of {repeats}: {name} ...", file=sys.stderr, flush=True)
            results[name].append(side.repeat())
    return results


def _prepare(threads, prepare, arguments):
    import torch

    torch.set_num_threads(threads)
    global _prepared
    _prepared = prepare(*arguments)


def _repeat():
    return _prepared()


def _peak_memory():
    # not getrusage's, which begins with what the parent held when it started this process
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e9
