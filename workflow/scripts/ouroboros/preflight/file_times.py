"""Files from the future, as a clock that is turned back leaves them behind.

Snakemake throws away what a job has made from a file that was changed later than "now".
"""

import os
import time
from datetime import datetime
from pathlib import Path

TOLERATED = 2.0  # seconds that the clock of a file server may be ahead
STAMP = ".snakemake_timestamp"  # a folder's time, to Snakemake


def from_the_future(path) -> str | None:
    """When the file was changed, in words, if that is still to come; else None."""
    changed = _file(path).stat().st_mtime
    if changed <= time.time() + TOLERATED:
        return None
    return datetime.fromtimestamp(changed).isoformat(" ", "seconds")


def bring_to_now(paths) -> list[str]:
    """Give those of `paths` that are from the future the time that it is now; returns them."""
    late = []
    for path in map(str, paths):
        file = _file(path)
        now = time.time()
        if file.exists() and file.stat().st_mtime > now:
            os.utime(file, (now, now))
            late.append(path)
    return late


def _file(path):
    path = Path(path)
    return path / STAMP if path.is_dir() else path
