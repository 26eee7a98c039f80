"""Rule table: the main numbers of a lineage by generation, and how its epochs were found."""

from ouroboros.findings.results import read_measurements
from ouroboros.jobs.script import run
from ouroboros.report.tables import summary
from ouroboros.storage.atomic import read_json, write_text
from ouroboros.training.epochs import epochs_in_words


def main(snakemake):
    measured = read_measurements(snakemake.input.measured)
    table = summary(measured[snakemake.wildcards.lineage]).markdown()
    epochs = epochs_in_words(read_json(snakemake.input.epochs))
    write_text(snakemake.output[0], f"{table}\n{epochs}\n")


if "snakemake" in globals():
    run(main, snakemake)
