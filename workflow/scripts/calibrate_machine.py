"""Rule calibrate_machine: what this machine does per second whatever the model."""

from adaptor import run
from dry_run import seconds_to_start
from ouroboros.jobs.provenance import provenance
from ouroboros.planning.machine_speed import measure_machine
from ouroboros.storage.atomic import write_json


def main(snakemake):
    measured = measure_machine(snakemake.input[0])
    measured["start"]["workflow"] = seconds_to_start(snakemake)
    write_json(snakemake.output[0], {**measured, "provenance": provenance()})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
