"""The files on this machine that corpora, tasks and prompts are made of; looked for before anything runs."""

import glob
import shlex
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.preflight.file_times import future_time


def source_files(name: str, settings: dict, root: Path) -> list[str]:
    """The files that a corpus is made of; `settings`: its resolved entry."""
    if settings["source"] == "hub":
        return []
    if settings["source"] == "grammar":
        return matching(f"corpora.{name}.grammar", [str(root / settings["grammar"])], "grammar")
    return [
        path
        for key in ("files", "validation_files")
        for path in matching(f"corpora.{name}.{key}", settings[key], ".txt, .jsonl or .parquet")
    ]


def task_files(name: str, settings: dict, root: Path) -> dict[str, list[str]]:
    """Split -> the files that it comes from; none where a task comes from the hub."""
    if settings["source"] == "hub":
        return {}
    if settings["source"] == "fixture":
        start = root / "resources/classification" / settings["kind"]
        return {split: [f"{start}_{split}.jsonl"] for split in ("train", "validation")}
    return {
        split: matching(f"tasks.{name}.{key}", settings[key], ".jsonl, .parquet or .tsv")
        for split, key in (("train", "files"), ("validation", "validation_files"))
    }


def prompts_file(lineage: str, prompts: str, root: Path) -> str | list[str]:
    """The file of beginnings, from the folder of the Snakefile; none where they come from the hub."""
    if prompts == "hub":
        return []
    path = root / prompts
    if not path.is_file():
        raise UserError(
            f"The lineage {lineage}: `prompts` of its evaluation: there is no file {path}. "
            "Give a YAML list of beginnings of stories, or `hub`."
        )
    return str(path)


def matching(key: str, patterns: list[str], formats: str) -> list[str]:
    """The files that the patterns of a configuration's key match.

    Raises UserError for a pattern that matches none, and for a file from the future.
    """
    found = []
    for pattern in patterns:
        files = [pattern] if Path(pattern).is_file() else sorted(glob.glob(pattern, recursive=True))
        if not files:
            raise UserError(
                f"config: {key}: {pattern!r} matches no file (looked from {Path.cwd()}). "
                f"Give the path of an existing {formats} file."
            )
        for path in files:
            if changed := future_time(path):
                raise UserError(
                    f"config: {key}: {path} was last changed at {changed}, which is still to come by "
                    f"this machine's clock: nothing made of it would count as new. Put the clock right, "
                    f"or give the file the time of now: touch {shlex.quote(path)}"
                )
        found += files
    return found
