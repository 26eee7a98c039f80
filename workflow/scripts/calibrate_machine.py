"""Rule calibrate_machine: what this machine does per second whatever the model."""

from adaptor import run
from dry_run import seconds_to_start
from ouroboros.artifacts import write_json
from ouroboros.machine import measure_machine
from ouroboros.provenance import provenance


def main(snakemake):
    measured = measure_machine(snakemake.input[0])
    measured["start"]["workflow"] = seconds_to_start(snakemake)
    write_json(snakemake.output[0], {**measured, "provenance": provenance()})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
