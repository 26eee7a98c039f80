"""Parquet artifacts that hold the SHA-256 of their own bytes, in the footer's metadata.

Any flipped bit is found before data is read; parquet's own checksums cover the data pages alone. To
other readers the digest is an entry of metadata like any other.
"""

import contextlib
import hashlib
import os

import pyarrow as pa
import pyarrow.parquet as pq

from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.storage.atomic import new_file

KEY, DIGITS = b"ouroboros.sha256", 64  # the metadata's key, and the digest's hexadecimal digits
FOOTER = 8192  # the digest is among so many last bytes: only the writer's version follows it
CHUNK = 1 << 22  # bytes hashed at a time


@contextlib.contextmanager
def new_parquet(path, schema: pa.Schema, **options):
    """Yield a `ParquetWriter`; on success its file, with its digest, becomes `path`."""
    with new_file(path) as temporary:
        with pq.ParquetWriter(temporary, schema, **options) as writer:
            yield writer
            writer.add_key_value_metadata({KEY: b"0" * DIGITS})
        offset = _offset(temporary)
        with open(temporary, "r+b") as file:
            digest = _digest(file, offset)
            file.seek(offset)
            file.write(digest)


def write_parquet(path, table: pa.Table):
    """Write a table, with the digest of the file."""
    with new_parquet(path, table.schema) as writer:
        writer.write_table(table)


def read_parquet(path) -> pq.ParquetFile:
    """Verify and open an artifact; UserError, naming it, where it is damaged or missing."""
    verify_parquet(path)
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DamagedArtifact(path, f"it is no parquet file ({error})") from error


def read_footer(path) -> pq.FileMetaData:
    """The number of rows and the like, of a file that is not verified; UserError as `read_parquet`."""
    try:
        return pq.read_metadata(path)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}: a job before this one makes it.") from error
    except (pa.ArrowException, OSError) as error:
        raise DamagedArtifact(path, f"it is no parquet file ({error})") from error


def verify_parquet(path):
    """Raise UserError where the file is not byte for byte the one that was written."""
    try:
        offset = _offset(path)
        with open(path, "rb") as file:
            file.seek(offset)
            intact = file.read(DIGITS) == _digest(file, offset)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}: a job before this one makes it.") from error
    except (OSError, ValueError) as error:
        raise DamagedArtifact(path, str(error)) from error
    if not intact:
        raise DamagedArtifact(path, "its checksum is not that of what was written")


def _offset(path):
    """Offset of the digest in the file."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, end - FOOTER))
        found = file.read().rfind(KEY)
    if found < 0:
        raise ValueError("it has no checksum: it is cut off, or another program wrote it")
    # between key and value: the field's type and the value's length, a byte each
    return start + found + len(KEY) + 2


def _digest(file, offset):
    """The hexadecimal SHA-256 of all bytes but the digest's own."""
    digest = hashlib.sha256()
    file.seek(0)
    left = offset
    while left and (chunk := file.read(min(left, CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    file.seek(offset + DIGITS)
    digest.update(file.read())
    return digest.hexdigest().encode()
