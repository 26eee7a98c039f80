"""Run the script of a rule: its log file, signals, and errors in words."""

import logging
import os
import sys

from ouroboros.errors import UserError
from ouroboros.jobs.signals import Stopped, stop_on_signals
from ouroboros.preflight.file_times import reset_future_times

log = logging.getLogger("ouroboros")


def run(main, snakemake):
    """Call `main(snakemake)`, with the log of the library in the job's log file.

    A UserError, or memory that is too small, ends the job with a paragraph in the log and on the
    terminal; any other exception also with its traceback. The log of a job that is done has the
    CPU's seconds, which benchmarks/job_times.py adds up.
    """
    started = _cpu_seconds()
    handler = logging.FileHandler(snakemake.log[0], mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        with stop_on_signals():
            main(snakemake)
        log.info("CPU seconds: %.1f to start, %.1f at work.", started, _cpu_seconds() - started)
        inputs = (path for path in snakemake.input if path.startswith("results/"))
        for path in reset_future_times(inputs):
            log.warning(
                "%s is dated in the future by this machine's clock: it gets the present time.", path
            )
    except Stopped as stopped:
        log.warning("Stopped by %s. The same command again carries on.", stopped.signal)
        raise
    except UserError as error:
        _exit(str(error))
    except Exception as error:
        if _is_out_of_memory(error):
            _exit(
                f"The memory is too small for this job: {str(error).splitlines()[0]} Lower "
                f"resources.{snakemake.rule}.batch in the configuration, or override it for this "
                "lineage; the results stay the same up to floating point."
            )
        log.exception("This is an error of the workflow itself:")
        raise


def _cpu_seconds():
    """Seconds of the CPU that this process and its children have taken, imports included."""
    return sum(os.times()[:4])


def _is_out_of_memory(error):
    """Tell by the type's name, since not every script imports torch; on a CPU, by the message."""
    names = (MemoryError.__name__, "OutOfMemoryError", "_ArrayMemoryError")
    return type(error).__name__ in names or "DefaultCPUAllocator" in str(error)


def _exit(message):
    log.error("error: %s", message)
    print(f"\nerror: {message}\n", file=sys.stderr)
    sys.exit(1)
