"""Run the script of a rule: a log file, signals, and errors for people."""

import logging
import sys

from ouroboros.errors import UserError
from ouroboros.jobs.signals import Stopped, on_signals
from ouroboros.preflight.file_times import bring_to_now

log = logging.getLogger("ouroboros")


def run(main, snakemake):
    """Call `main(snakemake)`; its log goes to the job's log file.

    What the user can put right ends the job with a paragraph, in the log and on the terminal;
    anything else with its traceback.
    """
    handler = logging.FileHandler(snakemake.log[0], mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        with on_signals():
            main(snakemake)
        for path in bring_to_now(path for path in snakemake.input if path.startswith("results/")):
            log.warning("%s was made in the future, by this machine's clock: it is of now.", path)
    except Stopped as stopped:
        log.warning("Stopped by %s. The same command again carries on.", stopped.signal)
        raise
    except UserError as error:
        _stop(str(error))
    except Exception as error:
        if _is_out_of_memory(error):
            _stop(
                f"The memory is too small for this job: {str(error).splitlines()[0]} Lower "
                f"resources.{snakemake.rule}.batch in the configuration, or override it for this "
                "lineage; the results stay the same up to floating point."
            )
        log.exception("This is an error of the workflow itself:")
        raise


def _is_out_of_memory(error):
    """Torch's own type on a GPU, which not every script imports; on a CPU it is a RuntimeError."""
    kinds = (MemoryError.__name__, "OutOfMemoryError", "_ArrayMemoryError")
    return type(error).__name__ in kinds or "DefaultCPUAllocator" in str(error)


def _stop(message):
    log.error("error: %s", message)
    print(f"\nerror: {message}\n", file=sys.stderr)
    sys.exit(1)
