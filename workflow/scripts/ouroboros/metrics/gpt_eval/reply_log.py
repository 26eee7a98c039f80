"""The log of a judge's replies, each appended as it arrives: what was paid for is never asked again."""

import contextlib
import json
import logging
import os
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.storage.atomic import where_supported, write_error
from ouroboros.storage.locks import lock

log = logging.getLogger("ouroboros")


class Replies:
    """The log of one judge, open for one job at a time; others wait for it.

    A line is a JSON object: `key` (see Judge.digest), `reply`, `cost` and more.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.records = {}
        self.spent = 0.0  # of all lines, in the currency of the judge's prices

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "ab+")
        self._lock()
        self.file.seek(0)
        *lines, tail = self.file.read().split(b"\n")
        for number, line in enumerate(lines, start=1):
            self._remember(line, number)
        if tail:  # cut off by a kill in the middle of writing
            log.warning("%s: its last line is incomplete and was taken off.", self.path)
            self.file.truncate(self.file.tell() - len(tail))
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):  # an error of writing was raised before
            self.file.close()

    def get(self, key: str) -> dict | None:
        """The record under this key, None if there is none."""
        return self.records.get(key)

    def append(self, record: dict):
        """Put a record on disk; `cost` counts as spent, `key` (if not None) finds it again."""
        try:
            self.file.write(json.dumps(record).encode() + b"\n")
            self.file.flush()
            with where_supported():
                os.fsync(self.file.fileno())
        except OSError as error:
            raise write_error(error, self.path) or error from error
        self._count(record)

    def _count(self, record):
        self.spent += record["cost"]
        if record["key"] is not None:
            self.records[record["key"]] = record

    def _remember(self, line, number):
        try:
            self._count(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(
                f"{self.path}, line {number}, is not a judge's reply. Take the line out, or remove "
                "the file to ask, and pay, for all of its replies again."
            ) from error

    def _lock(self):
        without = f"Let no second job ask this judge meanwhile (`--resources judge=1`): both would write {self.path}."
        if not lock(self.file, without, wait=False):
            log.info("Another job asks this judge; waiting for it to end.")
            lock(self.file, without)
