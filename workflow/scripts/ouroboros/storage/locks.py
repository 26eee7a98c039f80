"""Locks on open files (flock): the operating system's own, which go with the process that holds them."""

import fcntl
import logging

from ouroboros.storage.atomic import UNSUPPORTED

log = logging.getLogger("ouroboros")


def lock(file, without: str, wait: bool = True) -> bool:
    """Lock an open file until it is closed; False where another has it and `wait` is False.

    Where the file system has no locks, the job goes on after a warning; `without` is a sentence on
    what that means.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        log.warning("The file system has no locks (%s). %s", error.strerror, without)
    return True
