"""Rule table: the main numbers of a lineage by generation."""

from ouroboros.findings.results import read_measurements
from ouroboros.jobs.script import run
from ouroboros.report.tables import summary
from ouroboros.storage.atomic import write_text


def main(snakemake):
    measured = read_measurements(snakemake.input)
    write_text(snakemake.output[0], summary(measured[snakemake.wildcards.lineage]).markdown())


if "snakemake" in globals():
    run(main, snakemake)
