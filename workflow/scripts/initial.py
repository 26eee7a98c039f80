"""Rule initial: the sequences of an initial corpus, drawn from all that the corpus has."""

from ouroboros.data.recipe import write_initial
from ouroboros.jobs.script import run


def main(snakemake):
    write_initial(snakemake.input[0], int(snakemake.wildcards.sequences), snakemake.output[0])


if "snakemake" in globals():
    run(main, snakemake)
