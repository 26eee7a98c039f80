"""Progress of long jobs: a bar on a terminal, sparse lines in the log.

Jobs log through `logging.getLogger("ouroboros")`; `jobs.script.run` points that to the
job's log file.
"""

import logging
import sys
import time

from tqdm import tqdm

log = logging.getLogger("ouroboros")


class Progress:
    """Report progress through `total` units of work; logs at most once per `interval` seconds."""

    def __init__(self, what: str, total: int, unit: str, interval: float = 30.0):
        self.what, self.total, self.unit, self.interval = what, total, unit, interval
        self.done = 0
        self.started = self.reported = time.monotonic()
        self.bar = tqdm(
            total=total, unit=unit, desc=what, unit_scale=True, leave=False,
            disable=not sys.stderr.isatty(),
        )  # fmt: skip

    def add(self, units: int, note: str = ""):
        """Count `units` more; `note` (the loss, for example) is shown after the numbers."""
        self.done += units
        self.bar.set_postfix_str(note, refresh=False)
        self.bar.update(units)
        if time.monotonic() - self.reported >= self.interval:
            self.reported = time.monotonic()
            self._report(note)

    def close(self, note: str = ""):
        """Remove the bar and log the total."""
        self.bar.close()
        self._report(note)

    def _report(self, note):
        seconds = max(time.monotonic() - self.started, 1e-9)
        rate = self.done / seconds
        left = (self.total - self.done) / rate if rate else float("inf")
        log.info(
            "%s: %d of %d %s (%.0f %%), %.4g %s/s, %s left%s",
            self.what, self.done, self.total, self.unit, 100 * self.done / max(self.total, 1),
            rate, self.unit, _duration(left), f", {note}" if note else "",
        )  # fmt: skip


def _duration(seconds):
    if seconds == float("inf"):
        return "unknown time"
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
