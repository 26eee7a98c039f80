"""Rule figure_entropy: figure 2, of one lineage."""

import pandas as pd

from adaptor import run
from ouroboros.report.figures.generations import draw_entropy_and_oov
from ouroboros.storage.atomic import read_json


def main(snakemake):
    rows = []
    for path in snakemake.input.text:
        figures = read_json(path)
        row = {name: figures[name] for name in ("entropy", "oov_words")}
        rows.append({"generation": figures["provenance"]["generation"], **row})
    draw_entropy_and_oov(pd.DataFrame(rows), snakemake.wildcards.lineage, list(snakemake.output))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
