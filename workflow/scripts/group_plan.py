"""Rule group_plan: plan a lineage or a comparison."""

import os

from dry_run import jobs
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.planning.assumptions import cost_inputs
from ouroboros.planning.data_sizes import count_examples
from ouroboros.planning.job_costs import JobCosts, notes_on_unknown_rules
from ouroboros.planning.plan import page, plan
from ouroboros.storage.atomic import read_json, write_json, write_text


def main(snakemake):
    facts, group = snakemake.params.facts, snakemake.wildcards.group
    calibrations = {name: read_json(path) for name, path in facts["calibrations"].items()}
    examples = {name: count_examples(task["files"]) for name, task in facts["tasks"].items()}
    inputs, notes = cost_inputs(facts, calibrations, examples)
    costs = JobCosts(
        read_json(snakemake.input.machine), **inputs, on_cluster=snakemake.params.on_cluster
    )
    cores = None if facts["plan"]["cores"] == "auto" else facts["plan"]["cores"]
    listed = jobs(snakemake, group)
    result = {
        "group": group,
        **plan(listed, costs, facts["plan"]["gpus"], cores, len(os.sched_getaffinity(0))),
        "notes": [*notes, *notes_on_unknown_rules(listed)],
        "provenance": provenance(plan=facts["plan"]),
    }
    write_json(snakemake.output.json, result)
    write_text(snakemake.output.markdown, page(group, result))


if "snakemake" in globals():
    run(main, snakemake)
