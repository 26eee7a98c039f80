"""Rule group_plan: plan a lineage or a comparison."""

import os

from dry_run import jobs
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.planning.assumptions import cost_model
from ouroboros.planning.job_costs import notes_on_unknown_rules
from ouroboros.planning.plan import page, plan
from ouroboros.storage.atomic import read_json, write_json, write_text


def main(snakemake):
    facts, group = snakemake.params.facts, snakemake.wildcards.group
    calibrations = {name: read_json(path) for name, path in facts["calibrations"].items()}
    machine_speed = read_json(snakemake.input.machine)
    costs, notes = cost_model(facts, calibrations, machine_speed, snakemake.params.on_cluster)
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
