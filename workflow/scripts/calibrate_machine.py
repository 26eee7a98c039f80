"""Rule calibrate_machine: measure the speed of this machine's CPU work."""

from dry_run import seconds_to_start
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.planning.machine_speed import measure_machine_speed
from ouroboros.storage.atomic import write_json


def main(snakemake):
    measured = measure_machine_speed(snakemake.input[0])
    measured["start"]["workflow"] = seconds_to_start(snakemake)
    write_json(snakemake.output[0], {**measured, "provenance": provenance()})


if "snakemake" in globals():
    run(main, snakemake)
