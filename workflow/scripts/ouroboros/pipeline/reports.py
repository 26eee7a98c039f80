"""The figures of a group, and what the report shows of whom."""

from ouroboros.pipeline import paths
from ouroboros.pipeline.experiment import Experiment


def figure_files(experiment: Experiment, group: str) -> list[str]:
    """The figures of a lineage or a comparison and of its lineages, in the order of the report."""
    owners = [("group", group), *(("lineage", lineage) for lineage in experiment.groups[group])]
    return [
        paths.FIGURE.format(group=owner, figure=name)
        for of, owner in owners
        for name, figure in experiment.figures.items()
        if of == figure.OF and figure.inputs(experiment, owner) is not None
    ]


def report_groups(experiment: Experiment, group: str | None) -> list[str]:
    """The group of a report; of the report of everything, for which it is None, all that `all` makes."""
    return [group] if group else list(experiment.comparisons or experiment.lineages)


def report_lineages(experiment: Experiment, group: str | None) -> list[str]:
    """The lineages of a report."""
    groups = report_groups(experiment, group)
    return list(dict.fromkeys(name for each in groups for name in experiment.groups[each]))


def report_figures(experiment: Experiment, group: str | None) -> list[str]:
    """The figures of all groups of a report; what comparisons share, once."""
    groups = report_groups(experiment, group)
    return list(dict.fromkeys(path for each in groups for path in figure_files(experiment, each)))


def report_settings(experiment: Experiment, group: str | None) -> dict[str, dict]:
    """The resolved settings of a report's lineages, resources left out: they change no result."""
    lineages = report_lineages(experiment, group)
    return {name: _shown(experiment, experiment.lineages[name]) for name in lineages}


def _shown(experiment, lineage):
    resolved = experiment.resolved
    shown = experiment.deciding_settings(lineage["name"])
    for part, section in (("corpus", "corpora"), ("tokenizer", "tokenizers")):
        shown[part] = {lineage[part]: resolved[section][lineage[part]]}
    tasks = lineage["evaluation"]["classification"]["tasks"]
    return {**shown, "tasks": {name: resolved["tasks"][name] for name in tasks}}


def tests_in_words(experiment: Experiment, lineage: str, lm: str) -> list[str]:
    """The tests of an LM and of the text it writes, in words; those of its fine-tuned copies are left out."""
    words = (
        "generated text" if metric.OF == "corpus" else getattr(metric, "TEST", name)
        for name, metric in experiment.metrics.items()
        if name != "classification" and lm in experiment.measured(lineage, name)
    )
    return list(dict.fromkeys(words))  # several metrics are of the generated text


def differences(settings: dict[str, dict]) -> dict[str, dict]:
    """Lineage -> the settings that are not the same in all, "model.hidden_size" -> value.

    A list stands as text; a setting that a lineage has not is missing.
    """
    flat = {name: dict(_flat(of)) for name, of in settings.items()}
    keys = dict.fromkeys(key for of in flat.values() for key in of if key != "seed")
    kept = [key for key in keys if len({repr(of.get(key)) for of in flat.values()}) > 1]
    return {name: {key: of.get(key) for key in kept} for name, of in flat.items()}


def _flat(settings, place=""):
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", str(value) if isinstance(value, list) else value
