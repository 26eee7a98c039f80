"""Facts for a plan: which models are calibrated how, and what is there already."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.pipeline import paths
from ouroboros.pipeline.experiment import Experiment

RATES = 4  # speeds of a model: training, sampling, perplexity, fine-tuning


def calibration_settings(experiment: Experiment, lineage: str) -> dict:
    """All that decides how fast a lineage's model is; equal settings are measured once."""
    settings = experiment.lineages[lineage]
    parts = {key: settings[key] for key in ("model", "training")}
    parts["tokenizer"] = experiment.resolved["tokenizers"][settings["tokenizer"]]
    parts |= {key: settings["sampling"][key] for key in ("sequences", "sequence_length")}
    decoding = experiment.decoding(lineage)
    if isinstance(decoding, dict):  # a temperature alone makes no difference
        parts["decoding"] = decoding
    parts["context"] = settings["evaluation"]["context"]
    parts["classification"] = dict(settings["evaluation"]["classification"])
    del parts["classification"]["seeds"]  # how often a copy is fine-tuned, not how fast
    parts["resources"] = {
        job: {key: settings["resources"][job].get(key) for key in ("gpu", "threads", "batch")}
        for job in ("train", "sample", "ppl", "classification")
    }
    return parts


def calibration_key(experiment: Experiment, lineage: str) -> str:
    """The name of a lineage's calibration: its model's, and a digest of the settings."""
    text = json.dumps(calibration_settings(experiment, lineage), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{experiment.lineages[lineage]['model_name']}-{digest}"


def calibrated(experiment: Experiment, calibration: str) -> str:
    """The first lineage whose calibration this is. Raises UserError where there is none."""
    keys = {name: calibration_key(experiment, name) for name in experiment.lineages}
    for name, key in keys.items():
        if key == calibration:
            return name
    raise UserError(
        f"{paths.CALIBRATION.format(calibration=calibration)}: no lineage has these settings. "
        f"Calibrations of this configuration: {', '.join(sorted(set(keys.values())))}."
    )


def calibrations(experiment: Experiment, lineages: Iterable[str]) -> dict[str, str]:
    """Lineage -> its calibration, for those whose speeds the configuration does not give."""
    given = experiment.resolved["plan"]["rates"]
    return {
        name: paths.CALIBRATION.format(calibration=calibration_key(experiment, name))
        for name in lineages
        if len(given.get(experiment.lineages[name]["model_name"], {})) < RATES
    }


def plan_facts(
    experiment: Experiment, names: Iterable[str], source_files: Callable, task_files: Callable
) -> dict:  # fmt: skip
    """The settings of lineages, and the sizes and epochs that are known by now.

    `source_files` and `task_files` give the files of a corpus and of a task.
    """
    lineages = {name: experiment.lineages[name] for name in names}
    resolved = experiment.resolved
    # With several tokenizers of one corpus, the last one's counts stand for all.
    corpora = {
        settings["corpus"]: (experiment.of_corpus(name, paths.TOKEN_COUNTS), settings["tokenizer"])
        for name, settings in lineages.items()
    }
    tasks = {task for name in lineages for task in experiment.tasks(name)}
    return {
        "lineages": lineages,
        "tokenizers": {
            s["tokenizer"]: resolved["tokenizers"][s["tokenizer"]] for s in lineages.values()
        },
        "epochs": {name: existing(paths.EPOCHS.format(lineage=name)) for name in lineages},
        "corpora": {
            name: {
                "settings": resolved["corpora"][name],
                "tokenizer": resolved["tokenizers"][tokenizer],
                "counts": existing(path),
                "bytes": {
                    key: sum(Path(file).stat().st_size for file in files)
                    for key, files in source_files(name).items()
                },
            }
            for name, (path, tokenizer) in corpora.items()
        },
        "tasks": {
            name: {
                "settings": resolved["tasks"][name],
                "files": {key: f for key, f in task_files(name).items() if key != "folder"},
            }
            for name in sorted(tasks)
        },
        "judges": resolved["judges"],
        "calibrations": calibrations(experiment, lineages),
        "plan": {key: value for key, value in resolved["plan"].items() if key != "groups"},
    }


def existing(path: str) -> dict | None:
    """A JSON artifact; None where it is not there or damaged. No input: a plan must not make what it plans."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
