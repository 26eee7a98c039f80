"""Write artifacts atomically: to a temporary file beside the target, flushed to disk, then renamed."""

import contextlib
import errno
import glob
import json
import os
import shutil
from pathlib import Path

from ouroboros.errors import DamagedArtifact, UserError

# What file systems answer to a call that they do not have: network shares, exFAT, FUSE, Lustre.
UNSUPPORTED = {
    errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM
}  # fmt: skip


@contextlib.contextmanager
def new_file(path):
    """Yield a temporary path that becomes `path` on success and is removed on failure."""
    with _replacing(path) as temporary:
        yield temporary
        _flush(temporary)


@contextlib.contextmanager
def new_directory(path):
    """Like `new_file`, for a folder: yield an empty folder that replaces `path` on success."""
    with _replacing(path) as temporary:
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _flush(file)
        if Path(path).is_dir():
            shutil.rmtree(path)


def link(target, path):
    """Make `path` a symbolic link to `target`: a relative one, so that both can be moved together.

    Where the file system has no links, it is a copy.
    """
    with _replacing(path) as temporary:
        # between real folders: a folder above may be a link itself, to another disk
        source, folder = Path(target).resolve(), temporary.parent.resolve()
        try:
            temporary.symlink_to(os.path.relpath(source, folder))
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            shutil.copyfile(source, temporary)
            _flush(temporary)


def write_json(path, value: dict):
    """Write `value` as indented JSON; ValueError for NaN and infinities."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_text(path, text: str):
    """Write `text` as a UTF-8 file."""
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path) -> dict:
    """Read a JSON artifact; UserError where it is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedArtifact(path, f"it is not valid JSON ({error})") from error


@contextlib.contextmanager
def _replacing(path):
    """Yield a temporary path that replaces `path` on success; errors of the disk become UserErrors."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
            _remove(left)  # of a process that was killed; a path has one writer at a time
        yield temporary
        os.replace(temporary, path)
        _flush(path.parent)
    except BaseException as error:
        _remove(temporary)
        if explained := write_error(error, path):
            raise explained from error
        raise


def write_error(error, path) -> UserError | None:
    """The UserError for an error while writing `path` that the user can put right; else None.

    Libraries quote the operating system's error in their own, so the text is searched too.
    """
    for code, remedy in (
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
                f"{path} could not be written: {os.strerror(code).lower()}. {remedy}; "
                "nothing half-written was left behind."
            )
    return None


@contextlib.contextmanager
def where_supported():
    """Pass over a call that the file system does not have, and that what is written can do without."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _flush(path):
    """Flush to disk, with the mode that the umask gives (some libraries write mode 600)."""
    if path.is_file():
        with where_supported():
            path.chmod(0o666 & ~_umask())
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with where_supported():
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
