"""Files with a modification time in the future, as a computer clock that was set back leaves them.

Snakemake discards what a job has made from a file that was modified later than the present time.
"""

import os
import shlex
import time
from datetime import datetime
from pathlib import Path

from ouroboros.errors import UserError

TOLERANCE = 2.0  # seconds that a file server's clock may be ahead of this machine's
STAMP = ".snakemake_timestamp"  # the file in a folder whose time Snakemake takes for the folder's


def future_time(path) -> str | None:
    """The modification time of a file, as text, where it is in the future; else None."""
    modified = _stamped(path).stat().st_mtime
    if modified <= time.time() + TOLERANCE:
        return None
    return datetime.fromtimestamp(modified).isoformat(" ", "seconds")


def reset_future_times(paths) -> list[str]:
    """Set modification times that are in the future to the present; return the paths changed.

    Raises UserError for a file of another user, whose time its owner alone can set.
    """
    changed = []
    for path in map(str, paths):
        file = _stamped(path)
        now = time.time()
        if file.exists() and file.stat().st_mtime > now:
            try:
                os.utime(file, (now, now))
            except PermissionError as error:
                raise UserError(
                    f"{path} is dated in the future by this machine's clock, and Snakemake would discard "
                    "what is made of it. Only its owner can give it the present time: "
                    f"touch {shlex.quote(str(file))}"
                ) from error
            changed.append(path)
    return changed


def _stamped(path):
    """The file whose modification time counts: of a folder, the one that Snakemake puts there."""
    path = Path(path)
    return path / STAMP if path.is_dir() else path
