"""Parquet artifacts with a seal: the SHA-256 of the file, kept in the file's own footer.

Every flipped bit is found before anything is read, wherever it is; the checksums that parquet has
itself cover the data pages alone. To every other reader the seal is a line of metadata.
"""

import contextlib
import hashlib
import os

import pyarrow as pa
import pyarrow.parquet as pq

from ouroboros.errors import UserError, damaged
from ouroboros.storage.atomic import new_file

KEY, SEAL = b"ouroboros.sha256", 64  # the digest is that many hexadecimal digits
FOOTER = 8192  # the seal is among the last bytes: only the writer's version follows it
CHUNK = 1 << 22


@contextlib.contextmanager
def new_parquet(path, schema: pa.Schema, **options):
    """Yield a `ParquetWriter`; on success the file, sealed, becomes `path`, else nothing does."""
    with new_file(path) as temporary:
        with pq.ParquetWriter(temporary, schema, **options) as writer:
            yield writer
            writer.add_key_value_metadata({KEY: b"0" * SEAL})
        place = _place(temporary)
        with open(temporary, "r+b") as file:
            digest = _digest(file, place)
            file.seek(place)
            file.write(digest)


def write_parquet(path, table: pa.Table):
    """Write a whole table, sealed."""
    with new_parquet(path, table.schema) as writer:
        writer.write_table(table)


def read_parquet(path) -> pq.ParquetFile:
    """Open an artifact whose seal holds; UserError, naming it, where it is damaged or missing."""
    check_seal(path)
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, f"it is no parquet file ({error})") from error


def check_seal(path):
    """UserError where the file is not byte for byte the one that was written."""
    try:
        place = _place(path)
        with open(path, "rb") as file:
            file.seek(place)
            holds = file.read(SEAL) == _digest(file, place)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}: a job before this one makes it.") from error
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from error
    if not holds:
        raise damaged(path, "its checksum is not that of what was written")


def _place(path):
    """Where the digest stands in the file."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, end - FOOTER))
        found = file.read().rfind(KEY)
    if found < 0:
        raise ValueError("it has no checksum: it is cut off, or another program wrote it")
    # behind the key: the field's type and the length of the value, a byte each
    return start + found + len(KEY) + 2


def _digest(file, place):
    """The hexadecimal SHA-256 of all bytes but the digest's own."""
    digest = hashlib.sha256()
    file.seek(0)
    left = place
    while left and (chunk := file.read(min(left, CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    file.seek(place + SEAL)
    digest.update(file.read())
    return digest.hexdigest().encode()
