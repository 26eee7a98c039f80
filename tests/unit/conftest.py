"""A check that runs with every unit test."""

import sys

import pytest

from ouroboros.jobs.progress import Progress


@pytest.fixture(autouse=True)
def whole_progress(monkeypatch):
    """Work that is done has reached 100%: a total in other units than what is counted shows here."""
    close = Progress.close

    def checked(self, note=""):
        ended_by_error = sys.exc_info()[0]
        reached = f"{self.what}: {self.done} of {self.total} {self.unit}"
        assert ended_by_error or self.done == self.total, reached
        close(self, note)

    monkeypatch.setattr(Progress, "close", checked)
