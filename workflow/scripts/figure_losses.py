"""Rule figure_losses: histograms of token losses, of one lineage."""

from adaptor import run
from ouroboros.report.figures.losses import draw_losses
from ouroboros.storage.atomic import read_json


def main(snakemake):
    measured = [read_json(path) for path in snakemake.input]
    histograms = {figures["provenance"]["lm"]: figures["loss_histogram"] for figures in measured}
    draw_losses(histograms, snakemake.wildcards.lineage, list(snakemake.output))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
