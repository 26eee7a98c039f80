"""Everything that is made of a group, and messages about targets that no rule makes."""

from pathlib import Path

from ouroboros.errors import suggestion
from ouroboros.pipeline import paths
from ouroboros.pipeline.experiment import Experiment
from ouroboros.pipeline.reports import figure_files, report_groups


def group_targets(experiment: Experiment, group: str) -> list[str]:
    """Everything that is measured and drawn of a lineage or a comparison."""
    targets = [
        paths.REPORT.format(group=group),
        paths.FINDINGS.format(group=group),
        paths.RESULTS.format(group=group),
        *figure_files(experiment, group),
    ]
    for lineage in experiment.groups[group]:
        targets += [
            paths.TABLE.format(lineage=lineage),
            paths.LINEAGE_SAMPLES.format(lineage=lineage),
            *(
                paths.SAMPLES.format(lineage=lineage, lm=lm)
                for lm in experiment.generations(lineage, first=0)
            ),
        ]
        if experiment.files(lineage, "gpt_eval"):
            targets.append(paths.GPT_EVAL_TABLE.format(lineage=lineage))
    return targets


def sources(experiment: Experiment, target: str) -> tuple[set[str], set[str], set[str]]:
    """The corpora, the tasks and the lineages whose files a target is made of."""
    top, *below = Path(target).parts or ["."]
    name = below[0] if top == "results" and below else top
    if name in paths.SHARED:
        entry = {*below[1:2]}
        return entry if name == "corpora" else set(), entry if name == "tasks" else set(), set()
    if name == "plan":
        groups = experiment.resolved["plan"]["groups"] or experiment.comparisons
    else:
        groups = [name] if name in experiment.groups else report_groups(experiment, None)
    lineages = {lineage for group in groups for lineage in experiment.groups[group]}
    corpora = {experiment.lineages[lineage]["corpus"] for lineage in lineages}
    return corpora, {task for lineage in lineages for task in experiment.tasks(lineage)}, lineages


def complain_of_step(experiment: Experiment) -> str:
    """The message about a rule with wildcards that is asked for by its name."""
    return (
        "this is a step of the workflow, done for each lineage or corpus. Ask for a lineage "
        f"({', '.join(experiment.lineages)}) or for a file, such as "
        f"results/{next(iter(experiment.lineages))}/gen4/ppl.json."
    )


def complain_of_path(experiment: Experiment, target: str) -> str:
    """The message about a target that no rule makes: what is wrong with it, and what would be right."""
    path = Path(target)
    top, *below = path.parts or ["."]
    groups = [*experiment.groups, "all"]
    if target.rstrip("/") == "results":
        return f"this is a folder, and no target. Ask for one of {', '.join(groups)}."
    if not below:
        return f"there is no such lineage, comparison or target. {suggestion(target, groups)}"
    if top != "results":
        return (
            "no rule makes this file. Targets begin with results/, seen from the folder where "
            f"snakemake runs. {suggestion(top, ['results'])}"
        )
    group = below[0]
    if group not in {*experiment.groups, *paths.SHARED}:
        known = suggestion(group, experiment.groups)
        return f"there is no lineage {group!r} in the configuration. {known}"
    if group == "corpora" and below[1:] and below[1] not in experiment.resolved["corpora"]:
        return (
            f"no lineage uses a corpus {below[1]!r}, and only what one uses is made. Name it as `corpus` "
            f"of a lineage, or ask for another: {', '.join(experiment.resolved['corpora'])}."
        )
    for folder in map(str, path.parents):
        artifact = paths.parse(folder)
        if artifact and artifact.kind in ("CHECKPOINT", "TOKENIZER"):
            return f"this file is made with the folder that it lies in. Ask for {folder}."
    problem = "no rule makes this file."
    if paths.is_folder(str(path)):
        problem = "this is a folder, and no target."
    if group in paths.SHARED:
        return f"{problem} {_of_shared(experiment, group)}"
    if problem != "no rule makes this file.":
        problem += f" Ask for {group}, which is all that is made of it, or for a file."
    if group in experiment.comparisons:
        page, verdicts = (one.format(group=group) for one in (paths.REPORT, paths.FINDINGS))
        return f"{problem} Of the comparison {group} there are {page} and {verdicts}, for example."
    measured = [
        f"{name}.json" for name, metric in experiment.metrics.items() if hasattr(metric, "INPUTS")
    ]
    return (
        f"{problem} For generation 4 of {group} there are results/{group}/gen4/"
        f"{', '.join(measured)}, samples.md, checkpoint and corpus/shard-00000.parquet; docs/artifacts.md "
        "lists what appears where."
    )


def _of_shared(experiment, folder):
    """Which targets there are in a folder that lineages share."""
    lineage = next(iter(experiment.lineages))
    task = next(iter(experiment.resolved["tasks"]), "TASK")
    return {
        "corpora": f"Ask for {experiment.of_corpus(lineage, paths.TOKEN_COUNTS)}, for example.",
        "lexicon": f"There are {experiment.lexicon(lineage)} and {paths.CLEAN_LEXICON}.",
        "tasks": f"Ask for {paths.TASK.format(task=task, split='train')}, for example.",
        "judges": f"A judge's replies come with its grades: results/{lineage}/gen1/gpt_eval.json.",
        "calibration": "Speeds are measured for a plan: ask for `plan`.",
    }[folder]
