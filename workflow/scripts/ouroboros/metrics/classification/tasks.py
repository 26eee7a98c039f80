"""The eight tasks of text classification (paper 5.4, 5.5): columns, classes, and readers of examples.

Examples come from the hub, or from files with the hub's columns (jsonl, parquet, tsv).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ouroboros.data.readers import load_rows, quoted, read_rows, text_of
from ouroboros.errors import UserError
from ouroboros.storage.parquet import write_parquet

LABEL = "label"
OFFLINE = (
    "Without a network, give the task `source: files` with files of your own, `source: fixture`, or "
    "as `path` a local folder that holds the dataset."
)


class Kind(NamedTuple):
    """Columns and classes of a task's examples."""

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
# What the hub's datasets call some of them.
OTHER_NAMES = {"neg": "negative", "pos": "positive", "2 star": "2 stars"}


class Examples(NamedTuple):
    """Texts, each a tuple of one or two, and their labels: int64 (examples,)."""

    texts: list[tuple[str, ...]]
    labels: np.ndarray


def read_hub(kind: Kind, path: str, subset: str | None, split: str) -> Examples:
    """A split of a dataset of the hub, or of a local folder that `datasets` reads.

    Raises UserError where it is unreachable, or has other columns or labels.
    """
    columns = (*kind.columns, LABEL)
    return _examples(kind, load_rows(path, subset, split, columns, offline=OFFLINE))


def read_files(kind: Kind, paths: Iterable) -> Examples:
    """The examples of jsonl, parquet and tsv files, one file after the other.

    Raises UserError naming file, line and what would be right.
    """
    texts, labels = [], []
    for path in paths:
        if Path(path).suffix not in (".jsonl", ".parquet", ".tsv"):
            raise UserError(f"{path}: a task's file ends in .jsonl, .parquet or .tsv.")
        try:
            found = _examples(kind, read_rows(path, (*kind.columns, LABEL)))
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
        if not found.texts:
            raise UserError(
                f"{path} holds no example. An example has {quoted(kind.columns)} and {LABEL!r}."
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
        texts.append(tuple(text_of(row, column, where) for column in kind.columns))
        labels.append(_label(row[LABEL], kind.classes, where))
    return Examples(texts, np.array(labels, np.int64))


def _label(value, classes, where):
    """The number of a class, which is given by its name or as a number (1, 1.0 or "1")."""
    name = OTHER_NAMES.get(value, value) if isinstance(value, str) else value
    if name in classes:
        return classes.index(name)
    try:
        number = None if isinstance(value, bool | bytes) else float(value)
    except (TypeError, ValueError):
        number = None
    if number not in range(len(classes)):
        meanings = ", ".join(f"{number} ({name})" for number, name in enumerate(classes))
        raise UserError(f"{where}: the label {value!r} is none of this task's: {meanings}.")
    return int(number)
