"""What is made of a lineage or a comparison, and what is said of a target that no rule makes."""

from snakemake.cli import get_argument_parser


def group_targets(group):
    """Everything that is measured and drawn of a lineage or a comparison."""
    targets = [
        f"results/{group}/report.html",
        f"results/{group}/findings.json",
        *figure_files(group),
    ]
    for name in GROUPS[group]:
        targets += [
            f"results/{name}/table.md",
            f"results/{name}/samples.md",
            *(f"results/{name}/{lm}/samples.md" for lm in lms(name, first=0)),
            *([f"results/{name}/gpt_eval.md"] if gpt_eval_files(name) else []),
        ]
    return targets


def targets_of(*groups):
    """An input function: the targets of groups, listed only where they are asked for.

    Every job reads the Snakefile again, and with many lineages most of that would be such lists.
    """
    return lambda wildcards: [target for group in groups for target in group_targets(group)]


def check_targets():
    """Say what is wrong with a target of the command line that no rule makes."""
    # As Snakemake itself reads its command line, of which the workflow is told later than this.
    asked, _ = get_argument_parser().parse_known_args(sys.argv[1:])
    for target in asked.targets if workflow.is_main_process else ():
        if complaint := _complaint(target):
            raise WorkflowError(f"{target}: {complaint}")


def _complaint(target):
    if workflow.is_rule(target):
        if not workflow.get_rule(target).has_wildcards():
            return None
        return (
            "this is a step of the workflow, done for each lineage or corpus. Ask for a lineage "
            f"({', '.join(LINEAGES)}) or for a file, such as results/{next(iter(LINEAGES))}/gen4/ppl.json."
        )
    path = str(Path(target))  # without a ./ before it, as Snakemake takes it
    if any(maker.is_producer(path) for maker in workflow.rules) or Path(target).exists():
        return None
    top, *below = Path(target).parts or ["."]
    if not below:
        return (
            f"there is no such lineage, comparison or target. {nearest(target, [*GROUPS, 'all'])}"
        )
    if top != "results":
        return (
            "no rule makes this file. Targets begin with results/, seen from the folder where "
            f"snakemake runs. {nearest(top, ['results'])}"
        )
    group = below[0]
    if group not in {*GROUPS, "corpora", "lexicon", "tasks", "judges", "calibration"}:
        return f"there is no lineage {group!r} in the configuration. {nearest(group, GROUPS)}"
    return (
        f"no rule makes this file. For generation 4 of {group} there are "
        f"results/{group}/gen4/ppl.json, text.json, samples.md, checkpoint and "
        "corpus/shard-00000.parquet; README.md lists what appears where."
    )
