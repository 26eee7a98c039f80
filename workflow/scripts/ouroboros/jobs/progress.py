"""Progress of long jobs: a bar on a terminal, sparse lines in the log.

Jobs log through `logging.getLogger("ouroboros")`; `jobs.script.run` points that to the
job's log file.
"""

import logging
import re
import sys
import time
from typing import NamedTuple

from tqdm import tqdm

log = logging.getLogger("ouroboros")
LINE = re.compile(
    r"^\S+ \S+ (?P<what>.+): (?P<done>\d+) of (?P<total>\d+) (?P<unit>\S+) \(\d+ %\), "
    r"(?P<rate>\S+) \S+/s, (?:(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)|unknown time) left",
    re.M,
)


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


class Reported(NamedTuple):
    """A line of progress, read back: `rate` in units per second, `left` in seconds (None: unknown)."""

    what: str
    done: int
    total: int
    unit: str
    rate: float
    left: float | None


def last_reported(text: str, what: str = "") -> Reported | None:
    """The last line of progress in a job's log, of what begins with `what`; None without any."""
    lines = [line for line in LINE.finditer(text) if line["what"].startswith(what)]
    if not lines:
        return None
    found = lines[-1]
    left = None
    if found["hours"]:
        left = 3600.0 * int(found["hours"]) + 60 * int(found["minutes"]) + int(found["seconds"])
    done, total = int(found["done"]), int(found["total"])
    return Reported(found["what"], done, total, found["unit"], float(found["rate"]), left)
