"""Two faults of Snakemake's scheduler, mended as a run starts. Both use its private attributes: look again with a new version."""

import threading


def look_for_jobs_when_one_ends():
    """Switch off Snakemake's limit of jobs per time, unless `--max-jobs-per-timespan` is given.

    The default of 100 a second makes each look for jobs ask for another a second later, besides the one at
    each job's end: a look a second more for every job that has ended, until it takes a core for itself
    (9.27; snakemake/snakemake#3744).
    """
    most = workflow.scheduling_settings.max_jobs_per_timespan
    if most is not None and (most.max_jobs, most.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def end_at_any_time():
    """Let SIGTERM end a run while Snakemake's scheduler holds its lock.

    The signal's handler takes the same lock in the same thread, and would wait for itself forever (9.27).
    """
    workflow.scheduler._lock = threading.RLock()
