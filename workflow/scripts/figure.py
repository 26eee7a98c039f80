"""Rule figure: one of the figures that report/figures declares."""

from ouroboros.jobs.script import run
from ouroboros.pipeline.declarations import figures


def main(snakemake):
    wildcards = snakemake.wildcards
    files = {name: list(paths) for name, paths in snakemake.input.items()}
    figures()[wildcards.figure].draw(
        files, snakemake.params.settings, wildcards.group, list(snakemake.output)
    )


if "snakemake" in globals():
    run(main, snakemake)
