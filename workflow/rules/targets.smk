"""What is made of a lineage or a comparison, and what is said of a target that no rule makes."""


def group_targets(group):
    """Everything that is measured and drawn of a lineage or a comparison."""
    targets = [f"results/{group}/figures/perplexity.svg", f"results/{group}/findings.json"]
    for name in GROUPS[group]:
        targets += [
            f"results/{name}/figures/entropy.svg",
            f"results/{name}/table.md",
            f"results/{name}/samples.md",
            *(f"results/{name}/{lm}/samples.md" for lm in lms(name, first=0)),
            *gpt_eval_files(name),
            *classification_files(name),
        ]
    return targets


def targets_of(*groups):
    """An input function: the targets of groups, listed only where they are asked for.

    Every job reads the Snakefile again, and with many lineages most of that would be such lists.
    """
    return lambda wildcards: [target for group in groups for target in group_targets(group)]


def check_targets(arguments):
    """Say what is wrong with a file asked for on the command line that no rule makes."""
    for target in arguments:
        if not target.startswith("results/") or any(
            maker.is_producer(target) for maker in workflow.rules
        ):
            continue
        group = target.split("/")[1]
        if group not in {*GROUPS, "corpora", "lexicon", "tasks", "judges", "calibration"}:
            raise WorkflowError(
                f"{target}: there is no lineage {group!r} in the configuration. {nearest(group, GROUPS)}"
            )
        raise WorkflowError(
            f"{target}: no rule makes this file. For generation 4 of {group} there are "
            f"results/{group}/gen4/ppl.json, text.json, samples.md, checkpoint and "
            f"corpus/shard-00000.parquet; README.md lists what appears where."
        )
