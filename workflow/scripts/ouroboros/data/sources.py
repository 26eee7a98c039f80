"""Initial corpora: three kinds of source behind one interface, `stories(settings)`.

Each gives training stories and validation stories; `write_splits` sets the held-out share of the
training stories apart and writes the three splits as parquet.
"""

import glob
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ouroboros.data.grammar import StoryGrammar
from ouroboros.errors import UserError
from ouroboros.randomness import permutation, seed_for
from ouroboros.storage.parquet import new_parquet, read_parquet

SPLITS = ("train", "heldout", "validation")
CHUNK = 10_000  # stories per row group
OFFLINE = (
    "Without a network, set the corpus's `source: files` with text of your own, `source: grammar`, "
    "or give `path` a local folder that holds the dataset."
)


class Story(NamedTuple):
    """A story, and its natural log-probability where the source knows it (else None)."""

    text: str
    log_probability: float | None = None


def stories(settings: dict) -> tuple[Iterable[Story], Iterable[Story]]:
    """Training and validation stories of a corpus entry of the configuration.

    Raises UserError where the source is unreachable, unreadable or empty.
    """
    return {"hub": _hub, "files": _files, "grammar": _grammar}[settings["source"]](settings)


def write_splits(settings: dict, paths: dict) -> dict:
    """Write the splits of a source to `paths` (split -> path); return split -> number of stories.

    Blank stories are dropped. The held-out stories are drawn by a seed of their own, so that they
    are the same in every lineage on this corpus.
    """
    train, validation = stories(settings)
    train = [story for story in train if story.text.strip()]
    validation = [story for story in validation if story.text.strip()]
    if len(train) < 2 or not validation:
        raise UserError(
            f"The corpus has {len(train)} training and {len(validation)} validation stories; it "
            "needs at least 2 to train on (one of them held out) and 1 to validate on. For a txt "
            "file, `separator` says what stands between two stories."
        )
    train, held_out = _set_apart(train, settings["held_out"], 0)
    splits = {"train": train, "heldout": held_out, "validation": validation}
    for split, content in splits.items():
        _write(content, paths[split])
    return {split: len(content) for split, content in splits.items()}


def read_stories(path) -> Iterator[tuple[list[str], list[float | None]]]:
    """Texts and log-probabilities of a split, a chunk at a time."""
    for batch in read_parquet(path).iter_batches(batch_size=CHUNK):
        yield batch["text"].to_pylist(), batch["log_probability"].to_pylist()


def _write(content, path):
    schema = pa.schema([("text", pa.string()), ("log_probability", pa.float64())])
    with new_parquet(path, schema) as writer:
        for start in range(0, len(content), CHUNK):
            part = content[start : start + CHUNK]
            columns = [[story.text.strip() for story in part], [story[1] for story in part]]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def _grammar(settings):
    grammar = StoryGrammar.from_file(settings["grammar"])
    count, more = settings["stories"], settings["validation_stories"]
    made = (grammar.story(settings["seed"], index) for index in range(count + more))
    made = [Story(story.text, story.log_probability) for story in made]
    return made[:count], made[count:]


def _hub(settings):
    # Imported here: `datasets` takes a second, and only this source needs it.
    import datasets

    path, column = settings["path"], settings["column"]
    splits = []
    for split in (settings["train_split"], settings["validation_split"]):
        try:
            data = datasets.load_dataset(path, split=split)
        except ValueError as error:  # an unknown split is the user's; datasets says which there are
            raise UserError(f"The dataset {path!r}, split {split!r}: {error}") from error
        except Exception as error:  # whatever the network and the hub's client raise
            raise UserError(
                f"The dataset {path!r} could not be loaded ({type(error).__name__}: "
                f"{_first_line(error)}). {OFFLINE}"
            ) from error
        if column not in data.column_names:
            raise UserError(
                f"The dataset {path!r} has no column {column!r}; it has "
                f"{', '.join(data.column_names)}. Set `column` of the corpus."
            )
        splits.append(Story(text) for text in data[column])
    return tuple(splits)


def _first_line(error):
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"


def _files(settings):
    train = [Story(text) for text in _read_all("files", settings)]
    if settings["validation_files"]:
        return train, [Story(text) for text in _read_all("validation_files", settings)]
    return _set_apart(train, settings["validation_share"], 1)


def _set_apart(stories, share, draw):
    """Split off a share of the stories, one at least, at random; the order stays in both parts."""
    order = permutation(seed_for(0, 0, "split"), draw, len(stories))
    apart = set(order[: max(1, round(share * len(stories)))].tolist())
    return (
        [story for index, story in enumerate(stories) if index not in apart],
        [stories[index] for index in sorted(apart)],
    )


def _read_all(key, settings):
    texts = []
    for pattern in settings[key]:
        paths = sorted(glob.glob(pattern, recursive=True)) or [pattern]
        for path in paths:
            reader = {".jsonl": _jsonl, ".parquet": _parquet, ".txt": _txt}.get(Path(path).suffix)
            if reader is None:
                raise UserError(f"{path}: a corpus file ends in .txt, .jsonl or .parquet.")
            try:
                found = [text for text in reader(path, settings) if text.strip()]
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path} is not UTF-8 text (byte {error.start}). Convert it, for example with "
                    "iconv, and run again."
                ) from error
            except OSError as error:
                raise UserError(
                    f"{path}, named under `{key}` of the corpus, cannot be read: {error.strerror or error}."
                ) from error
            if not found:
                raise UserError(f"{path}, named under `{key}` of the corpus, holds no text.")
            texts += found
    return texts


def _txt(path, settings):
    return Path(path).read_text(encoding="utf-8").split(settings["separator"])


def _jsonl(path, settings):
    texts = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UserError(
                    f"{path}, line {number} is not JSON ({error.msg}, column {error.colno})."
                ) from error
            texts.append(_field(row, f"{path}, line {number}", settings["column"]))
    return texts


def _parquet(path, settings):
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UserError(f"{path} is not a readable parquet file: {error}") from error
    column = settings["column"]
    if column not in table.column_names:
        raise UserError(
            f"{path} has no column {column!r}; it has {', '.join(table.column_names)}. "
            "Set `column` of the corpus."
        )
    return [str(text) for text in table[column].to_pylist() if text is not None]


def _field(row, where, column):
    if not isinstance(row, dict) or not isinstance(row.get(column), str):
        raise UserError(
            f"{where}: there is no text under {column!r}. Set `column` of the corpus to the key "
            "that holds the stories."
        )
    return row[column]
