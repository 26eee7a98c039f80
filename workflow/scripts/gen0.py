"""Rule gen0: the initial corpus among the lineage's, a link to what lineages share."""

from ouroboros.jobs.script import run
from ouroboros.storage.atomic import link


def main(snakemake):
    link(snakemake.input[0], snakemake.output[0])


if "snakemake" in globals():
    run(main, snakemake)
