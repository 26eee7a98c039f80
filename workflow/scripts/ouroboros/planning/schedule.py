"""Wall-clock of a run: its jobs on given numbers of GPUs and cores, in simulated time."""

import heapq
from collections import deque
from dataclasses import dataclass, field


@dataclass
class Job:
    """A job of the DAG; `parents`: places in the list of jobs of those that it waits for."""

    seconds: float
    gpus: int = 0
    cores: int = 1
    parents: list[int] = field(default_factory=list)


def makespan(jobs: list[Job], gpus: int, cores: int) -> float:
    """Seconds until the last of `jobs` ends."""
    return max(ends(jobs, gpus, cores), default=0.0)


def ends(jobs: list[Job], gpus: int, cores: int) -> list[float]:
    """Seconds until each of `jobs` ends, started in the order in which they get ready.

    A job that does not fit lets later ones pass. One that asks for more than there is gets all there
    is, as Snakemake does with threads. O(n log n).
    """
    children, waiting = _children(jobs)
    # One queue for all jobs of the same needs: if its first does not fit, none does.
    queues, running, order, ended = {}, [], 0, [0.0] * len(jobs)
    now, free_gpus, free_cores = 0.0, gpus, cores

    def ready(index):
        nonlocal order
        job = jobs[index]
        needs = (min(job.gpus, gpus), min(job.cores, cores))
        queues.setdefault(needs, deque()).append((order, index))
        order += 1

    for index, count in enumerate(waiting):
        if not count:
            ready(index)
    while True:
        fitting = [
            (queue[0], needs)
            for needs, queue in queues.items()
            if queue and needs[0] <= free_gpus and needs[1] <= free_cores
        ]
        if fitting:
            (_, index), needs = min(fitting)
            queues[needs].popleft()
            free_gpus, free_cores = free_gpus - needs[0], free_cores - needs[1]
            heapq.heappush(running, (now + jobs[index].seconds, index, needs))
            continue
        if not running:
            return ended
        now, index, needs = heapq.heappop(running)
        ended[index] = now
        free_gpus, free_cores = free_gpus + needs[0], free_cores + needs[1]
        for child in children[index]:
            waiting[child] -= 1
            if not waiting[child]:
                ready(child)


def critical_path(jobs: list[Job]) -> float:
    """Seconds of the longest chain of jobs that wait for one another: no run is shorter."""
    children, waiting = _children(jobs)
    ends = [job.seconds for job in jobs]
    done = deque(index for index, count in enumerate(waiting) if not count)
    while done:
        index = done.popleft()
        for child in children[index]:
            ends[child] = max(ends[child], ends[index] + jobs[child].seconds)
            waiting[child] -= 1
            if not waiting[child]:
                done.append(child)
    return max(ends, default=0.0)


def _children(jobs):
    """Children of each job, and its number of parents."""
    children = [[] for _ in jobs]
    for index, job in enumerate(jobs):
        for parent in job.parents:
            children[parent].append(index)
    return children, [len(job.parents) for job in jobs]
