"""Hugging Face's cache on disk, through which `datasets` and the hub's client read everything."""

import errno
import os
from pathlib import Path

from ouroboros.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def cache_error(name: str, error: BaseException, source: str) -> UserError | None:
    """The UserError for a cache that `name`, read from `source`, could not be put into; else None.

    Errors of the network are of the same types, and name no file.
    """
    while error is not None:
        named = isinstance(error, OSError) and error.errno in FULL
        if isinstance(error, OSError) and error.filename is not None:
            named = not Path(os.fsdecode(error.filename)).is_relative_to(source)
        if named:
            home = os.environ.get("HF_HOME", "unset, which is ~/.cache/huggingface")
            return UserError(
                f"{name} could not be put into Hugging Face's cache ({error}). Set HF_HOME, a variable "
                f"of the environment, to a folder that can be written and has room; it is {home}."
            )
        error = error.__cause__
    return None
