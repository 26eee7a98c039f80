"""The files on this machine that corpora, tasks and prompts are made of; looked for before anything runs."""

import glob
import shlex

from ouroboros.preflight.file_times import from_the_future


def matching(key, patterns, formats):
    """The files that the patterns of a configuration's key match."""
    found = []
    for pattern in patterns:
        paths = sorted(glob.glob(pattern, recursive=True))
        if not paths:
            raise WorkflowError(
                f"config: {key}: {pattern!r} matches no file (looked from {Path.cwd()}). "
                f"Give the path of an existing {formats} file."
            )
        for path in paths:
            if changed := from_the_future(path):
                raise WorkflowError(
                    f"config: {key}: {path} was last changed at {changed}, which is still to come by "
                    f"this machine's clock: nothing made of it would count as new. Put the clock right, "
                    f"or give the file the time of now: touch {shlex.quote(path)}"
                )
        found += paths
    return found


def source_files(name):
    """The files that a corpus is made of."""
    settings = RESOLVED["corpora"][name]
    if settings["source"] == "hub":
        return []
    if settings["source"] == "grammar":
        return matching(
            f"corpora.{name}.grammar", [str(Path(workflow.basedir, settings["grammar"]))], "grammar"
        )
    return [
        path
        for key in ("files", "validation_files")
        for path in matching(f"corpora.{name}.{key}", settings[key], ".txt, .jsonl or .parquet")
    ]


def task_files(name):
    """The files that a task's splits come from."""
    settings = RESOLVED["tasks"][name]
    if settings["source"] == "hub":
        return {}
    if settings["source"] == "fixture":
        start = Path(workflow.basedir, "resources/classification", settings["kind"])
        return {split: [f"{start}_{split}.jsonl"] for split in ("train", "validation")}
    return {
        split: matching(f"tasks.{name}.{key}", settings[key], ".jsonl, .parquet or .tsv")
        for split, key in (("train", "files"), ("validation", "validation_files"))
    }


def prompts_file(wildcards):
    """The file of beginnings, from the folder of the Snakefile; none where they come from the hub."""
    prompts = LINEAGES[wildcards.lineage]["evaluation"]["prompts"]
    if prompts == "hub":
        return []
    path = Path(workflow.basedir, prompts)
    if not path.is_file():
        raise WorkflowError(
            f"The lineage {wildcards.lineage}: `prompts` of its evaluation: there is no file {path}. "
            "Give a YAML list of beginnings of stories, or `hub`."
        )
    return str(path)


SOURCE_FILES = {name: source_files(name) for name in RESOLVED["corpora"]}
TASK_FILES = {name: task_files(name) for name in RESOLVED["tasks"]}
