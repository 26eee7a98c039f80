"""Rule group_plan: what a lineage or a comparison will cost."""

import os
from pathlib import Path

from adaptor import run
from dry_run import jobs
from ouroboros.jobs.provenance import provenance
from ouroboros.planning.assumptions import costs_of
from ouroboros.planning.job_costs import Costs
from ouroboros.planning.plan import page, plan
from ouroboros.storage.atomic import read_json, write_json, write_text


def main(snakemake):
    facts, group = snakemake.params.facts, snakemake.wildcards.group
    calibrations = {name: read_json(path) for name, path in facts["calibrations"].items()}
    examples = {name: count(task["files"]) for name, task in facts["tasks"].items()}
    machine = read_json(snakemake.input.machine)
    arguments, notes = costs_of(facts, calibrations, examples)
    cores = facts["plan"]["cores"]
    result = plan(
        jobs(snakemake, group), Costs(machine, **arguments), facts["plan"]["gpus"],
        None if cores == "auto" else cores, len(os.sched_getaffinity(0)),
    )  # fmt: skip
    result = {
        "group": group,
        **result,
        "notes": notes,
        "provenance": provenance(plan=facts["plan"]),
    }
    write_json(snakemake.output.json, result)
    write_text(snakemake.output.markdown, page(group, result))


def count(files):
    """Lines of a task's .jsonl and .tsv files, by split; nothing where others are among them."""
    if not files or any(
        not path.endswith((".jsonl", ".tsv")) for f in files.values() for path in f
    ):
        return {}
    return {
        split: sum(1 for path in paths for line in Path(path).open("rb") if line.strip())
        for split, paths in files.items()
    }


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
