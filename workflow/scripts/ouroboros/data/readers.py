"""Readers of the user's own data: text, rows of files, datasets of the hub."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ouroboros.data.hub_cache import cache_error
from ouroboros.errors import UserError


def read_text(path) -> str:
    """The content of a UTF-8 file; UserError where it is in another encoding."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 text (byte {error.start}). Convert it, for example with "
            "iconv, and run again."
        ) from error


def read_rows(path) -> Iterator[tuple[str, dict]]:
    """The rows of a .jsonl, .parquet or .tsv file, each after its place ("FILE, line 3").

    A tsv file names its columns in its first line and quotes nothing, as GLUE's do. Raises
    UserError, with the place, where the file is malformed.
    """
    return {".jsonl": _jsonl, ".parquet": _parquet, ".tsv": _tsv}[Path(path).suffix](path)


def _jsonl(path):
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(
                f"{path}, line {number} is not JSON ({error.msg}, column {error.colno})."
            ) from error
        if not isinstance(row, dict):
            raise UserError(f"{path}, line {number} is not a JSON object with named columns.")
        yield f"{path}, line {number}", row


def _tsv(path):
    names, *rows = [line.split("\t") for line in read_text(path).split("\n")]
    for number, row in enumerate(rows, 2):
        if row == [""]:
            continue
        if len(row) != len(names):
            raise UserError(
                f"{path}, line {number} has {len(row)} columns; the first line names "
                f"{len(names)}, separated by tabs: {quoted(names)}."
            )
        yield f"{path}, line {number}", dict(zip(names, row, strict=True))


def _parquet(path):
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UserError(f"{path} is not a readable parquet file: {error}") from error
    number = 0
    for batch in table.to_batches(max_chunksize=10_000):  # as objects, rows take many times more
        for row in batch.to_pylist():
            yield f"{path}, row {number}", row
            number += 1


def quoted(names) -> str:
    """Names in quotes, separated by commas, for messages."""
    return ", ".join(map(repr, names)) or "none"


def load_split(path: str, subset: str | None, split: str, advice: str):
    """A split of a dataset of the hub, or of a local folder that `datasets` reads.

    `advice` says what to do without a network. Raises UserError where the split is unknown or the
    dataset cannot be loaded.
    """
    # Imported here: `datasets` takes a second, and only this source needs it.
    import datasets

    name = " ".join(["The dataset", repr(path), *([subset] if subset else [])])
    try:
        return datasets.load_dataset(path, subset, split=split)
    except ValueError as error:  # an unknown subset or split; datasets says which there are
        raise UserError(f"{name}, split {split!r}: {error}") from error
    except Exception as error:  # whatever the network and the hub's client raise
        if explained := cache_error(name, error, path):
            raise explained from error
        lines = str(error).strip().splitlines() or ["no message"]
        raise UserError(
            f"{name} could not be loaded ({type(error).__name__}: {lines[0]}). {advice}"
        ) from error
