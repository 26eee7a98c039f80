"""The files on this machine that corpora, tokenizers, tasks and prompts are made of; looked for before anything runs."""

import glob
import hashlib
import os
import re
import shlex
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.preflight.file_times import future_time

WILDCARD = re.compile(r"[{}<>]")  # what Snakemake fills values into, in the path of an input


def source_files(name: str, settings: dict, root: Path) -> dict[str, list[str]]:
    """Key of a corpus's entry -> the files that it is made of; `settings`: its resolved entry."""
    where = f"corpora.{name}"
    if settings["source"] == "hub":
        return {"files": _dataset(where, settings)}
    if settings["source"] == "grammar":
        file = str(root / expanded(settings["grammar"]))
        return {"files": matching(f"{where}.grammar", [file], "grammar")}
    train, validation = _two_sets(where, settings, ".txt, .jsonl or .parquet")
    return {"files": train, "validation_files": validation}


def tokenizer_files(name: str, settings: dict) -> dict[str, list[str]]:
    """The file of a local tokenizer; none where it is trained or comes from elsewhere."""
    if settings["source"] != "hub":
        return {}
    file = os.path.join(expanded(settings["path"]), "tokenizer.json")
    if not os.path.isfile(file):
        return {}
    return {"files": matching(f"tokenizers.{name}.path", [file], "tokenizer.json")}


def initial_model_files(lineage: str, initial_model: str | None) -> dict[str, list[str]]:
    """The files of a lineage's initial model; none where it has none, or one of the hub."""
    if initial_model is None:
        return {}
    folder, where = Path(expanded(initial_model)), f"config: lineages.{lineage}.initial_model"
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise UserError(f"{where}: the folder {folder} holds no config.json, and so no model.")
        kinds = [str(folder / f"*.{kind}") for kind in ("json", "safetensors", "bin")]
        found = [pattern for pattern in kinds if glob.glob(pattern)]
        return {"initial": matching(f"lineages.{lineage}.initial_model", found, "model")}
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", initial_model) or initial_model.startswith("."):
        raise UserError(
            f"{where}: there is no folder {folder} (looked from {Path.cwd()}). Give an existing one, or the "
            "name of a model of the hub (owner/name)."
        )
    return {}


def task_files(name: str, settings: dict, root: Path) -> dict[str, list[str]]:
    """Split -> the files that it comes from; `folder` -> those of a local dataset."""
    where = f"tasks.{name}"
    if settings["source"] == "hub":
        return {"folder": _dataset(where, settings)}
    if settings["source"] == "fixture":
        start = root / "resources/classification" / settings["kind"]
        return {split: [f"{start}_{split}.jsonl"] for split in ("train", "validation")}
    train, validation = _two_sets(where, settings, ".jsonl, .parquet or .tsv")
    return {"train": train, "validation": validation}


def prompts_file(lineage: str, prompts: str, root: Path) -> str | list[str]:
    """The file of beginnings, from the folder of the Snakefile; none where they come from the hub."""
    if prompts == "hub":
        return []
    path = root / expanded(prompts)
    if not path.is_file():
        raise UserError(
            f"The lineage {lineage}: `prompts` of its evaluation: there is no file {path}. "
            "Give a YAML list of beginnings of stories, or `hub`."
        )
    return str(path)


def expanded(path: str) -> str:
    """A path with its `~` and environment variables filled in."""
    return os.path.expandvars(os.path.expanduser(path))


def matching(key: str, patterns: list[str], formats: str) -> list[str]:
    """The files that the patterns of a configuration's key match, each once.

    A pattern that is the name of a file stands for it, whatever characters it has. Folders are passed
    over, and results that a pattern happens to match. Raises UserError for a pattern that matches no
    file, and for a file that cannot be read or is from the future.
    """
    found = {}
    for pattern in map(expanded, patterns):
        paths = [pattern] if os.path.isfile(pattern) else _glob(pattern)
        files = [path for path in paths if not os.path.isdir(path)]
        if not paths:
            raise UserError(
                f"config: {key}: {pattern!r} matches no file (looked from {Path.cwd()}). "
                f"Give the path of an existing {formats} file."
            )
        if not files:
            raise UserError(
                f"config: {key}: {pattern!r} is a folder. The files in it are '{pattern}/*'."
            )
        for path in files:
            _check_time(key, path)
            found.setdefault(_identity(path), path)
    return list(found.values())


def inputs(files: dict[str, list[str]]) -> dict[str, list[str]]:
    """The files that a rule can have as input."""
    return {key: [p for p in paths if not WILDCARD.search(p)] for key, paths in files.items()}


def other_inputs(files: dict[str, list[str]]) -> dict[str, dict]:
    """The files whose names Snakemake would fill wildcards into, for the parameters of a rule.

    {"other_inputs": key -> path -> digest}, by which the rule learns of a change; empty where there
    are none.
    """
    found = {
        key: {path: _digest(path) for path in paths if WILDCARD.search(path)}
        for key, paths in files.items()
    }
    return {"other_inputs": found} if any(found.values()) else {}


def all_inputs(named, settings: dict, key: str) -> list[str]:
    """The files of a key that a job reads: those that are `named` as its input, and the others."""
    return [*named.get(key, []), *settings.get("other_inputs", {}).get(key, [])]


def _glob(pattern):
    """The paths that a pattern matches, without those of results that it does not name."""
    results = os.path.abspath("results")
    named = os.path.abspath(pattern).startswith(results)
    paths = sorted(glob.glob(pattern, recursive=True))
    return [path for path in paths if named or not Path(path).absolute().is_relative_to(results)]


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _two_sets(where, settings, formats):
    """The files to train on and those to measure on, which have none in common."""
    keys = ("files", "validation_files")
    train, validation = (matching(f"{where}.{key}", settings[key], formats) for key in keys)
    trained_on = set(map(_identity, train))
    for path in validation:
        if _identity(path) in trained_on:
            raise UserError(
                f"config: {where}: {path} is among `files` and among `validation_files`: the model "
                "would be measured on what it was trained on. Leave it out of one of them."
            )
    return train, validation


def _dataset(where, settings):
    """The files of a local folder that `datasets` reads; none where the path is a name on the hub."""
    if settings["train_split"] == settings["validation_split"]:
        raise UserError(
            f"config: {where}: train_split and validation_split are both "
            f"{settings['train_split']!r}: the model would be measured on what it was trained on. "
            "Name two splits, or parts of one: train[:95%] and train[95%:]."
        )
    path = expanded(settings["path"])
    if not os.path.isdir(path):
        return []
    real = os.path.realpath(path)
    if set(real) & set("[*?"):
        raise UserError(
            f"config: {where}.path: {real} has a [, * or ? in its name, which `datasets` takes for "
            "a pattern. Rename the folder, or use `source: files`."
        )
    if Path.cwd().is_relative_to(real):
        raise UserError(
            f"config: {where}.path: {path!r} holds the folder that snakemake runs in, and so its "
            "results. Give the dataset a folder of its own."
        )
    files = sorted(
        os.path.join(folder, name)
        for folder, folders, names in os.walk(path, followlinks=True)
        for name in _shown(folders, names)
    )
    for file in files:
        _check_time(f"{where}.path", file)
    return files


def _shown(folders, names):
    """The names of files that are not hidden; takes hidden folders out of those to be looked into."""
    folders[:] = [name for name in folders if not name.startswith(".")]
    return [name for name in names if not name.startswith(".")]


def _check_time(key, path):
    try:
        changed = future_time(path)
    except OSError as error:
        raise UserError(f"config: {key}: {path} cannot be read: {error.strerror}.") from error
    if changed:
        raise UserError(
            f"config: {key}: {path} was last changed at {changed}, which is still to come by "
            f"this machine's clock: nothing made of it would count as new. Put the clock right, "
            f"or give the file the time of now: touch {shlex.quote(path)}"
        )


def _identity(path):
    """Device and inode of a file, which all its names share."""
    state = os.stat(path)
    return state.st_dev, state.st_ino
