"""Rule group_fit: propose settings with which the run of a lineage ends within a given time."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

from dry_run import jobs
from ouroboros.jobs.script import run
from ouroboros.planning.fit import batch_for, budget_seconds, fit
from ouroboros.planning.fitted_lineage import FittedLineage
from ouroboros.planning.proposal import page, proposal
from ouroboros.storage.atomic import read_json, write_text


def main(snakemake):
    scripts, name = Path(snakemake.scriptdir).resolve(), snakemake.wildcards.group

    def calibrate(settings, path):
        print(f"Measuring the speed of {path.stem} ...", flush=True)
        # in a process of its own: the time that a first run takes to compile counts
        arguments = json.dumps([settings, snakemake.input.grammar, str(path)])
        subprocess.run([sys.executable, scripts / "calibrate.py", arguments], check=True)

    facts = snakemake.params.facts
    lineage = FittedLineage(
        name, snakemake.config, facts, read_json(snakemake.input.machine), scripts.parents[1],
        snakemake.threads, snakemake.resources.gpu,
        lambda configuration: jobs(snakemake, name, configuration), calibrate,
    )  # fmt: skip
    seconds = budget_seconds(facts["plan"]["fit"])
    batch = batch_for(lineage.whole, lineage.configured.batch)
    found = fit(
        seconds, dataclasses.replace(lineage.configured, batch=batch), [*lineage.models],
        lineage.settings["sampling"]["shards"], lineage.guess, lineage.planned,
        lineage.longest,
    )  # fmt: skip
    text, path = proposal(lineage, found, seconds), snakemake.output.yaml
    write_text(path, text)
    write_text(snakemake.output.markdown, page(lineage, found, seconds, text, path))


if "snakemake" in globals():
    run(main, snakemake)
