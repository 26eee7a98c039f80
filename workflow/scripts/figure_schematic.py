"""Rule figure_schematic: Extended Data Fig. 5, of one lineage."""

from adaptor import run
from ouroboros.report.figures.schematic import draw_schematic


def main(snakemake):
    params = snakemake.params
    draw_schematic(
        snakemake.wildcards.lineage, params.generations, params.regime, params.tests,
        list(snakemake.output),
    )  # fmt: skip


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
