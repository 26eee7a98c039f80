"""What a plan has to know: which models are measured how, and what is there already."""

import hashlib
import json


def calibration_settings(lineage):
    """All that decides how fast a lineage's model is; equal settings are measured once."""
    settings = LINEAGES[lineage]
    parts = {key: settings[key] for key in ("model", "training")}
    parts["tokenizer"] = RESOLVED["tokenizers"][settings["tokenizer"]]
    parts |= {key: settings["sampling"][key] for key in ("sequences", "sequence_length")}
    parts |= {key: settings["evaluation"][key] for key in ("context", "classification")}
    parts["resources"] = {
        job: {key: settings["resources"][job].get(key) for key in ("gpu", "threads", "batch")}
        for job in ("train", "sample", "ppl", "classification")
    }
    return parts


def calibration_key(lineage):
    """The name of a lineage's calibration: its model's, and a digest of the settings."""
    text = json.dumps(calibration_settings(lineage), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{LINEAGES[lineage]['model_name']}-{digest}"


def calibrated(wildcards):
    """The first lineage whose calibration this is."""
    for name in LINEAGES:
        if calibration_key(name) == wildcards.calibration:
            return name
    known = ", ".join(sorted({calibration_key(name) for name in LINEAGES}))
    raise WorkflowError(
        f"results/calibration/{wildcards.calibration}.json: no lineage has these settings. "
        f"Calibrations of this configuration: {known}."
    )


def calibration_resource(rule_name, key):
    """A resource of a calibration: that of a rule of the lineage measured."""
    return lambda wildcards: LINEAGES[calibrated(wildcards)]["resources"][rule_name][key]


def is_measured(lineage):
    """Whether any speed of its model is not given in the configuration."""
    given = RESOLVED["plan"]["rates"].get(LINEAGES[lineage]["model_name"], {})
    return len(given) < 4


def calibrations(group):
    """The calibration of each lineage of a group that wants one."""
    return {
        name: f"results/calibration/{calibration_key(name)}.json"
        for name in GROUPS[group]
        if is_measured(name)
    }


def existing(path):
    """A JSON artifact that is there, else None. No input: a plan must not make what it plans."""
    path = Path(path)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def plan_facts(wildcards):
    """The settings of a group's lineages, and the sizes and epochs that are known by now."""
    lineages = {name: LINEAGES[name] for name in GROUPS[wildcards.group]}
    corpora = {settings["corpus"]: tokens_file(name) for name, settings in lineages.items()}
    tasks = {
        task
        for settings in lineages.values()
        for task in settings["evaluation"]["classification"]["tasks"]
    }
    return {
        "lineages": lineages,
        "tokenizers": {
            s["tokenizer"]: RESOLVED["tokenizers"][s["tokenizer"]] for s in lineages.values()
        },
        "epochs": {name: existing(f"results/{name}/epochs.json") for name in lineages},
        "corpora": {
            name: {
                "settings": RESOLVED["corpora"][name],
                "counts": existing(path),
                "bytes": sum(Path(file).stat().st_size for file in SOURCE_FILES[name]),
            }
            for name, path in corpora.items()
        },
        "tasks": {
            name: {"settings": RESOLVED["tasks"][name], "files": TASK_FILES[name]}
            for name in sorted(tasks)
        },
        "judges": RESOLVED["judges"],
        "calibrations": calibrations(wildcards.group),
        "plan": {key: value for key, value in RESOLVED["plan"].items() if key != "groups"},
    }
