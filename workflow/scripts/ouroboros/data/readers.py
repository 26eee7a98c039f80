"""Readers of the user's own data: text, rows of files, datasets of the hub.

Columns are found by their names. U+FEFF, the byte order mark, is taken out of all text: it is no
part of it, wherever files with one were joined.
"""

import json
import reprlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ouroboros.data.hub_cache import cache_error
from ouroboros.errors import UserError
from ouroboros.pipeline.local_files import expanded

MARK = "\ufeff"
BATCH = 10_000  # rows: as objects, rows take many times more memory than in a table


def read_text(path) -> str:
    """The content of a UTF-8 file; UserError where it is in another encoding."""
    try:
        return Path(path).read_text(encoding="utf-8").replace(MARK, "")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 text (byte {error.start}). Convert it, for example with "
            "iconv, and run again."
        ) from error


def read_rows(path, columns, advice="") -> Iterator[tuple[str, dict]]:
    """These columns of the rows of a .jsonl, .parquet or .tsv file.

    Each row comes after its place ("FILE, line 3"). A tsv file names its columns in its first line
    and quotes nothing, as GLUE's do. Raises UserError, with the place, where the file is malformed,
    or has a column not at all or twice; `advice` ends the message of a column that is not there.
    """
    readers = {".jsonl": _jsonl, ".parquet": _parquet, ".tsv": _tsv}
    return readers[Path(path).suffix](path, columns, advice)


def text_of(row: dict, column: str, where: str) -> str:
    """The text in a column of a row; UserError where anything else is in it."""
    text = row[column]
    if not isinstance(text, str):
        raise UserError(
            f"{where}: the column {column!r} holds {_kind(text)}, not text: {reprlib.repr(text)}."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(
            f"{where}: the column {column!r} holds \\u{ord(text[error.start]):04x}, half of a surrogate pair, "
            f"which is no character (place {error.start} of the text). Take it out."
        ) from error
    return text.replace(MARK, "")


def _kind(value):
    try:
        return str(pa.infer_type([value]))
    except pa.ArrowException:  # a list of several kinds
        return type(value).__name__


class JsonObject(dict):
    """A JSON object that remembers every name in it, also one that is there twice."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.names = [name for name, _ in pairs]


def _jsonl(path, columns, advice):
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line, object_pairs_hook=JsonObject)
        except json.JSONDecodeError as error:
            raise UserError(f"{where} is not JSON ({error.msg}, column {error.colno}).") from error
        except (ValueError, RecursionError) as error:  # a number or a nesting beyond all bounds
            raise UserError(f"{where} cannot be read ({error}).") from error
        if not isinstance(row, JsonObject):
            raise UserError(f"{where} is not a JSON object with named columns.")
        _check(row.names, columns, where, advice)
        yield where, row


def _tsv(path, columns, advice):
    names, *rows = [line.split("\t") for line in read_text(path).split("\n")]
    for number, row in enumerate(rows, 2):
        if row == [""]:
            continue
        where = f"{path}, line {number}"
        if len(row) != len(names):
            raise UserError(
                f"{where} has {len(row)} columns; the first line names {len(names)}, separated by "
                f"tabs: {quoted(names)}."
            )
        _check(names, columns, where, advice)
        yield where, dict(zip(names, row, strict=True))


def _parquet(path, columns, advice):
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            _check(schema.names, columns, path, advice)
            for column in columns:
                kind = schema.field(column).type
                if getattr(kind, "extension_name", "") == "arrow.json":  # with its quotes
                    raise UserError(f"{path}: the column {column!r} holds JSON, not text.")
            batches = file.iter_batches(BATCH, columns=list(columns))
            yield from _rows(schema, (batch.to_pylist() for batch in batches), columns, path)
    except pa.ArrowException as error:
        raise UserError(f"{path} is not a readable parquet file: {error}") from error


def load_rows(
    path: str, subset: str | None, split: str, columns, advice="", offline=""
) -> Iterator[tuple[str, dict]]:
    """These columns of the rows of a split of a dataset of the hub, or of a local folder.

    Each row comes after its place. `advice` ends the message of a column that is not there,
    `offline` says what to do without a network. Raises UserError where the split is unknown, the
    dataset cannot be loaded, or it has a column not at all or twice.
    """
    # Imported here: `datasets` takes a second, and only this source needs it.
    import datasets

    path = expanded(path)
    name = " ".join(["The dataset", repr(path), *([subset] if subset else [])])
    where = f"{name}, split {split!r}"
    try:
        data = datasets.load_dataset(path, subset, split=split)
    except ValueError as error:  # an unknown subset or split; datasets says which there are
        raise UserError(f"{where}: {error}") from error
    except Exception as error:  # whatever the network, the hub's client and the readers raise
        if explained := cache_error(name, error, path):
            raise explained from error
        local = Path(path).is_dir()
        cause = error.__cause__ if local and error.__cause__ else error
        lines = str(cause).strip().splitlines() or ["no message"]
        raise UserError(
            f"{name} could not be loaded ({type(cause).__name__}: {lines[0]})."
            + (f" {offline}" if not local else "")
        ) from error
    # pandas, which reads csv for `datasets`, calls the second of two columns so
    names = [name.removesuffix(".1") if name.removesuffix(".1") in columns else name
             for name in data.column_names]  # fmt: skip
    _check(names, columns, where, advice)
    batches = data.select_columns(list(columns)).iter(BATCH)
    rows = ([dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True)]
            for batch in batches)  # fmt: skip
    return _rows(data.features.arrow_schema, rows, columns, where)


def quoted(names) -> str:
    """Names in quotes, separated by commas, for messages."""
    return ", ".join(map(repr, names)) or "none"


def _check(names, columns, where, advice):
    """Raise UserError unless each column is named once."""
    for column in columns:
        if names.count(column) > 1:
            raise UserError(f"{where}: there are two columns {column!r}. Rename one of them.")
        if column not in names:
            raise UserError(
                f"{where}: there is no column {column!r}; there are {quoted(names)}. {advice}".strip()
            )


def _rows(schema, batches, columns, where):
    """The rows of lists of rows, a class by its name where the schema names the classes of a column."""
    classes = {column: _classes(schema, column) for column in columns}
    number = 0
    try:
        for batch in batches:
            for row in batch:
                for column, names in classes.items():
                    if names and row[column] in range(len(names)):
                        row[column] = names[row[column]]
                yield f"{where}, row {number}", row
                number += 1
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where}: text in row {number} or in one of the {BATCH:,} after it is not UTF-8."
        ) from error


def _classes(schema, column):
    """The names of a column's classes, which `datasets` keeps in the metadata of a schema."""
    kept = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    feature = kept.get("info", {}).get("features", {}).get(column, {})
    return feature.get("names") if feature.get("_type") == "ClassLabel" else None
