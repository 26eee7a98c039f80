"""An artifact appears whole or not at all: written beside its place, flushed to disk, renamed."""

import contextlib
import errno
import glob
import json
import os
import shutil
from pathlib import Path

from ouroboros.errors import UserError, damaged


@contextlib.contextmanager
def new_file(path):
    """Yield a temporary path beside `path`; on success it becomes `path`, on failure it is removed."""
    with _new(path) as temporary:
        yield temporary
        _flush(temporary)


@contextlib.contextmanager
def new_directory(path):
    """Like `new_file`, for a folder: yield an empty folder that becomes `path` (replacing it)."""
    with _new(path) as temporary:
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _flush(file)
        if Path(path).is_dir():
            shutil.rmtree(path)


def link(target, path):
    """Make `path` a link to `target`, by a relative path, so that both can be moved together."""
    with _new(path) as temporary:
        temporary.symlink_to(os.path.relpath(target, Path(path).parent))


def write_json(path, value: dict):
    """Write `value` as indented JSON; a number that is not finite is an error, never `NaN` in a file."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    write_text(path, text)


def write_text(path, text: str):
    """Write `text` as UTF-8."""
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path) -> dict:
    """Read a JSON artifact; UserError when it is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path, f"it is not valid JSON ({error})") from error


@contextlib.contextmanager
def _new(path):
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
            _remove(left)  # by a process that was killed; a path has one writer at a time
        yield temporary
        os.replace(temporary, path)
        _flush(path.parent)
    except BaseException as error:
        _remove(temporary)
        if said := in_words(error, path):
            raise said from error
        raise


def in_words(error, path) -> UserError | None:
    """A UserError for what a user can put right, else None.

    Libraries wrap the operating system's error in their own text, so that is searched too.
    """
    for code, cure in (
        (errno.ENOSPC, "Free some space there and run the same command again"),
        (
            errno.EDQUOT,
            "Your disk quota is used up: free some space and run the same command again",
        ),
        (errno.EROFS, "The file system is read-only: choose a folder that can be written"),
        (errno.EEXIST, "A file stands where a folder has to be: move it away"),
        (errno.ENOTDIR, "A file stands where a folder has to be: move it away"),
        (errno.EACCES, "The folder cannot be written: check who owns it"),
    ):
        if getattr(error, "errno", None) == code or os.strerror(code) in str(error):
            return UserError(
                f"{path} could not be written: {os.strerror(code).lower()}. {cure}; "
                "nothing half-written was left behind."
            )
    return None


def _flush(path):
    """Put on disk; and let others read it as the umask says (some libraries write mode 600)."""
    if path.is_file():
        path.chmod(0o666 & ~_umask())
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):  # not there, or on a file system that is now read-only
            path.unlink()
