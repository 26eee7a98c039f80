"""Everything that is made of a group, and what is said of a target that no rule makes."""

from pathlib import Path

from ouroboros.errors import suggestion
from ouroboros.pipeline import paths
from ouroboros.pipeline.experiment import Experiment
from ouroboros.pipeline.reports import figure_files


def group_targets(experiment: Experiment, group: str) -> list[str]:
    """Everything that is measured and drawn of a lineage or a comparison."""
    targets = [
        paths.REPORT.format(group=group),
        paths.FINDINGS.format(group=group),
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


def complain_of_step(experiment: Experiment) -> str:
    """What is said of a rule with wildcards that is asked for by its name."""
    return (
        "this is a step of the workflow, done for each lineage or corpus. Ask for a lineage "
        f"({', '.join(experiment.lineages)}) or for a file, such as "
        f"results/{next(iter(experiment.lineages))}/gen4/ppl.json."
    )


def complain_of_path(experiment: Experiment, target: str) -> str:
    """What is wrong with a target that no rule makes, and what would be right."""
    top, *below = Path(target).parts or ["."]
    if not below:
        known = [*experiment.groups, "all"]
        return f"there is no such lineage, comparison or target. {suggestion(target, known)}"
    if top != "results":
        return (
            "no rule makes this file. Targets begin with results/, seen from the folder where "
            f"snakemake runs. {suggestion(top, ['results'])}"
        )
    group = below[0]
    if group not in {*experiment.groups, *paths.SHARED}:
        known = suggestion(group, experiment.groups)
        return f"there is no lineage {group!r} in the configuration. {known}"
    measured = [
        f"{name}.json" for name, metric in experiment.metrics.items() if hasattr(metric, "INPUTS")
    ]
    return (
        f"no rule makes this file. For generation 4 of {group} there are results/{group}/gen4/"
        f"{', '.join(measured)}, samples.md, checkpoint and corpus/shard-00000.parquet; README.md lists "
        "what appears where."
    )
