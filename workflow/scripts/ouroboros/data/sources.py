"""Initial corpora from the hub, from files of the user, or from the story grammar.

Each source gives training stories and validation stories; `write_splits` splits the held-out share
off the training stories and writes the three splits as parquet.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from ouroboros.data.grammar import Story, StoryGrammar
from ouroboros.data.readers import load_rows, read_rows, read_text, text_of
from ouroboros.errors import UserError
from ouroboros.randomness import permutation, seed_for
from ouroboros.storage.parquet import new_parquet, read_parquet

SPLITS = ("train", "heldout", "validation")
ROW_GROUP = 10_000  # stories
ADVICE = "Set `column` of the corpus to the one that holds the stories."
OFFLINE = (
    "Without a network, set the corpus's `source: files` with text of your own, `source: grammar`, "
    "or give `path` a local folder that holds the dataset."
)


def read_source(settings: dict) -> tuple[Iterable[Story], Iterable[Story]]:
    """Training and validation stories of a corpus entry of the configuration.

    Raises UserError where the source is unreachable, unreadable or empty.
    """
    return {"hub": _hub, "files": _files, "grammar": _grammar}[settings["source"]](settings)


def write_splits(settings: dict, paths: dict) -> dict:
    """Write the splits of a source to `paths` (split -> path); return split -> number of stories.

    Blank stories are dropped. The held-out stories are drawn with a seed of their own, so that they
    are the same in every lineage on this corpus.
    """
    train, validation = read_source(settings)
    train = [story for story in train if story.text.strip()]
    validation = [story for story in validation if story.text.strip()]
    most = settings.get("validation_stories", len(validation))
    if most < len(validation):
        _, validation = _split_off(validation, most / len(validation), 2)
    if len(train) < 2 or not validation:
        raise UserError(
            f"The corpus has {len(train)} training and {len(validation)} validation stories; it "
            "needs at least 2 to train on (one of them held out) and 1 to validate on. For a txt "
            "file, `separator` says what stands between two stories."
        )
    train, held_out = _split_off(train, settings["held_out"], 0)
    splits = {"train": train, "heldout": held_out, "validation": validation}
    for split, content in splits.items():
        _write(content, paths[split])
    return {split: len(content) for split, content in splits.items()}


def read_stories(path) -> Iterator[tuple[list[str], list[float | None]]]:
    """Yield the texts and log-probabilities of a split, a row group at a time."""
    for batch in read_parquet(path).iter_batches(batch_size=ROW_GROUP):
        yield batch["text"].to_pylist(), batch["log_probability"].to_pylist()


def _write(stories, path):
    schema = pa.schema([("text", pa.string()), ("log_probability", pa.float64())])
    with new_parquet(path, schema) as writer:
        for start in range(0, len(stories), ROW_GROUP):
            part = stories[start : start + ROW_GROUP]
            columns = [
                [story.text.strip() for story in part],
                [story.log_probability for story in part],
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def _grammar(settings):
    grammar = StoryGrammar.from_file(settings["grammar"])
    count, more = settings["stories"], settings["validation_stories"]
    stories = [grammar.story(settings["seed"], index) for index in range(count + more)]
    return stories[:count], stories[count:]


def _hub(settings):
    return tuple(
        [
            Story(_text(row, settings["column"], where))
            for where, row in load_rows(
                settings["path"], None, split, [settings["column"]], ADVICE, OFFLINE
            )
        ]
        for split in (settings["train_split"], settings["validation_split"])
    )


def _files(settings):
    train = _read_files("files", settings)
    if settings["validation_files"]:
        return train, _read_files("validation_files", settings)
    return _split_off(train, settings["validation_share"], 1)


def _split_off(stories, share, draw):
    """Split off a random share of the stories, at least one; both parts keep the stories' order."""
    order = permutation(seed_for(0, 0, "split"), draw, len(stories))
    chosen = set(order[: max(1, round(share * len(stories)))].tolist())
    return (
        [story for index, story in enumerate(stories) if index not in chosen],
        [stories[index] for index in sorted(chosen)],
    )


def _read_files(key, settings):
    """The stories of all files under `key`, without blank ones."""
    stories = []
    for path in settings[key]:
        try:
            found = [Story(text) for text in _texts(path, settings) if text.strip()]
        except OSError as error:
            raise UserError(
                f"{path}, named under `{key}` of the corpus, cannot be read: {error.strerror or error}."
            ) from error
        if not found:
            raise UserError(f"{path}, named under `{key}` of the corpus, holds no text.")
        stories += found
    return stories


def _texts(path, settings) -> Iterable[str]:
    suffix, column = Path(path).suffix, settings["column"]
    if suffix == ".txt":
        return read_text(path).split(settings["separator"])
    if suffix not in (".jsonl", ".parquet"):
        raise UserError(f"{path}: a corpus file ends in .txt, .jsonl or .parquet.")
    return (_text(row, column, where) for where, row in read_rows(path, [column], ADVICE))


def _text(row, column, where):
    """The text of a row; empty for null, which is dropped like any blank story."""
    return "" if row[column] is None else text_of(row, column, where)
