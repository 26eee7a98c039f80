"""Rule figure_perplexity: figure 1, of a lineage or of several."""

import math

import pandas as pd

from adaptor import run
from ouroboros.report.figures.generations import draw_perplexity
from ouroboros.storage.atomic import read_json


def main(snakemake):
    rows = []
    for path in snakemake.input.ppl:
        figures = read_json(path)
        error = figures["standard_error"] or 0.0
        rows.append(
            {
                "lineage": figures["provenance"]["lineage"],
                "generation": figures["provenance"]["generation"],
                "perplexity": figures["perplexity"],
                "low": math.exp(figures["loss"] - error),
                "high": math.exp(figures["loss"] + error),
            }
        )
    floors = {}
    for lineage, path in zip(snakemake.params.lineages, snakemake.input.tokens, strict=True):
        validation = read_json(path)["validation"]
        if "floor" in validation:
            floors[lineage] = validation["floor"]
    draw_perplexity(pd.DataFrame(rows), floors, list(snakemake.output))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
