"""The eight tasks of text classification (paper 5.4, 5.5): their columns and classes, and their reading.

Examples come from the hub, or from files with the hub's columns (jsonl, parquet, tsv).
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ouroboros.errors import UserError
from ouroboros.storage.parquet import write_parquet

LABEL = "label"


class Kind(NamedTuple):
    """What a task's examples look like."""

    columns: tuple[str, ...]  # of the text, or of the two texts that are compared
    classes: tuple[str, ...]  # a label is a place in here


SENTIMENTS = ("negative", "positive")
KINDS = {
    "imdb": Kind(("text",), SENTIMENTS),
    "sst2": Kind(("sentence",), SENTIMENTS),
    "yelp": Kind(("text",), ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")),
    "qqp": Kind(("question1", "question2"), ("not_duplicate", "duplicate")),
    "qnli": Kind(("question", "sentence"), ("entailment", "not_entailment")),
    "mrpc": Kind(("sentence1", "sentence2"), ("not_equivalent", "equivalent")),
    "rte": Kind(("sentence1", "sentence2"), ("entailment", "not_entailment")),
    "cola": Kind(("sentence",), ("unacceptable", "acceptable")),
}


class Examples(NamedTuple):
    """Texts, each a tuple of one or two, and their labels: int64 (examples,)."""

    texts: list[tuple[str, ...]]
    labels: np.ndarray


def read_hub(kind: Kind, path: str, subset: str | None, split: str) -> Examples:
    """A split of a dataset of the hub, or of a local folder that `datasets` reads.

    Raises UserError where it is unreachable, or has other columns or labels.
    """
    # Imported here: `datasets` takes a second, and only this source needs it.
    import datasets

    where = " ".join(["The dataset", repr(path), *([subset] if subset else [])])
    try:
        data = datasets.load_dataset(path, subset, split=split)
    except ValueError as error:  # no such subset or split; datasets says which there are
        raise UserError(f"{where}, split {split!r}: {error}") from error
    except Exception as error:  # whatever the network and the hub's client raise
        lines = str(error).strip().splitlines() or ["no message"]
        raise UserError(
            f"{where} could not be loaded ({type(error).__name__}: {lines[0]}). Without a network, "
            "give the task `source: files` with files of your own, `source: fixture`, or as `path` "
            "a local folder that holds the dataset."
        ) from error
    where = f"{where}, split {split!r}"
    return _examples(kind, ((f"{where}, row {number}", row) for number, row in enumerate(data)))


def read_files(kind: Kind, paths: Iterable) -> Examples:
    """The examples of jsonl, parquet and tsv files, one file behind the other.

    A tsv file names its columns in its first line and quotes nothing, as GLUE's do. Raises
    UserError naming file, line and what would be right.
    """
    texts, labels = [], []
    for path in paths:
        reader = {".jsonl": _jsonl, ".parquet": _parquet, ".tsv": _tsv}.get(Path(path).suffix)
        if reader is None:
            raise UserError(f"{path}: a task's file ends in .jsonl, .parquet or .tsv.")
        try:
            found = _examples(kind, reader(path))
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path} is not UTF-8 text (byte {error.start}). Convert it, for example with "
                "iconv, and run again."
            ) from error
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
        if not found.texts:
            raise UserError(
                f"{path} holds no example. An example has {_quoted(kind.columns)} and {LABEL!r}."
            )
        texts += found.texts
        labels.append(found.labels)
    return Examples(texts, np.concatenate(labels))


def write_examples(kind: Kind, examples: Examples, path):
    """Write parquet that `read_files` reads: the task's columns."""
    columns = [list(column) for column in zip(*examples.texts, strict=True)]
    write_parquet(path, pa.table([*columns, examples.labels], names=[*kind.columns, LABEL]))


def _examples(kind, rows: Iterable[tuple[str, dict]]) -> Examples:
    """Checked examples of rows, each with the words for where it stands."""
    texts, labels = [], []
    for where, row in rows:
        texts.append(tuple(_text(row, column, where) for column in kind.columns))
        labels.append(_label(row, kind.classes, where))
    return Examples(texts, np.array(labels, np.int64))


def _text(row, column, where):
    text = _value(row, column, where)
    if not isinstance(text, str):
        raise UserError(f"{where}: {column!r} holds {text!r}, not a text.")
    return text


def _label(row, classes, where):
    value = _value(row, LABEL, where)
    if isinstance(value, str):  # of a tsv file, or a class by its name
        known = {name: number for number, name in enumerate(classes)}
        label = int(value) if value.isdecimal() else known.get(value)
    else:
        label = value
    if type(label) is not int or not 0 <= label < len(classes):
        meanings = ", ".join(f"{number} ({name})" for number, name in enumerate(classes))
        raise UserError(f"{where}: the label {value!r} is none of this task's: {meanings}.")
    return label


def _value(row, column, where):
    if column not in row:
        raise UserError(f"{where}: there is no column {column!r}; there are {_quoted(row)}.")
    return row[column]


def _quoted(names):
    return ", ".join(map(repr, names)) or "none"


def _jsonl(path) -> Iterator[tuple[str, dict]]:
    for number, line in enumerate(_lines(path), 1):
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


def _tsv(path) -> Iterator[tuple[str, dict]]:
    names, *rows = [line.split("\t") for line in _lines(path)]
    for number, row in enumerate(rows, 2):
        if row == [""]:
            continue
        if len(row) != len(names):
            raise UserError(
                f"{path}, line {number} has {len(row)} columns; the first line names "
                f"{len(names)}, separated by tabs: {_quoted(names)}."
            )
        yield f"{path}, line {number}", dict(zip(names, row, strict=True))


def _lines(path):
    """The lines of a text file, read at once, so that the byte in an error is the file's."""
    return Path(path).read_text(encoding="utf-8").split("\n")


def _parquet(path) -> Iterator[tuple[str, dict]]:
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UserError(f"{path} is not a readable parquet file: {error}") from error
    for number, row in enumerate(table.to_pylist()):
        yield f"{path}, row {number}", row
