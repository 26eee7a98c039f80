"""Files dated in the future."""

import os
import time

import pytest

from ouroboros.errors import UserError
from ouroboros.preflight.file_times import reset_future_times


def test_a_file_of_another_user_is_named_with_what_its_owner_does(tmp_path, monkeypatch):
    """Its time can be set by nobody else, and Snakemake would discard what is made of it."""
    path = tmp_path / "of others"
    path.write_text("a")
    later = time.time() + 3600
    os.utime(path, (later, later))

    def utime(*_):
        raise PermissionError("Operation not permitted")

    with monkeypatch.context() as patch, pytest.raises(UserError, match="touch '.*of others'$"):
        patch.setattr(os, "utime", utime)
        reset_future_times([path])
    assert reset_future_times([path]) == [str(path)]
    assert path.stat().st_mtime <= time.time()
