"""Locks: one at a time, and a file system that has none."""

import errno
import fcntl
import os

import pytest

from ouroboros.jobs import gpu_locks
from ouroboros.metrics.gpt_eval.reply_log import Replies
from ouroboros.storage.locks import lock


def test_a_second_one_is_told_and_has_it_after_the_first(tmp_path):
    with open(tmp_path / "a", "w") as first, open(tmp_path / "a") as second:
        assert lock(first, "", wait=False)
        assert not lock(second, "", wait=False)
        first.close()
        assert lock(second, "", wait=False)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_locks_a_job_goes_on_and_says_so(tmp_path, monkeypatch, caplog, code):
    def flock(file, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with Replies(tmp_path / "replies") as replies:
        replies.append({"key": "a", "cost": 1.0})
    assert os.strerror(code) in caplog.text
    assert "Let no second job ask this judge meanwhile" in caplog.text
    with Replies(tmp_path / "replies") as replies:
        assert replies.get("a") and replies.spent == 1.0
    names, _ = gpu_locks._lock(1, [gpu_locks.GPU("GPU-0aaa", "0", 1.0)], tmp_path / "locks")
    assert names == ["GPU-0aaa"]
    assert "Two jobs may take one GPU" in caplog.text


def test_a_broken_disk_is_none_without_locks(tmp_path, monkeypatch):
    def flock(file, operation):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    with open(tmp_path / "a", "w") as file, pytest.raises(OSError, match="Input/output error"):
        lock(file, "")
