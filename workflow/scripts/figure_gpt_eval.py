"""Rule figure_gpt_eval: figure 3, of one lineage."""

import pandas as pd

from adaptor import run
from ouroboros.report.figures.scores import draw_scores
from ouroboros.storage.atomic import read_json

SHOWN = ("grammar", "consistency")


def main(snakemake):
    rows = []
    for path in snakemake.input:
        figures = read_json(path)
        for name in SHOWN:
            score = {"panel": name.capitalize(), "generation": figures["provenance"]["generation"]}
            score |= {"score": figures[name]["mean"], "error": figures[name]["standard_error"]}
            rows.append({**score, "guess": None})
    judge = snakemake.params.judge["model"]
    rows = pd.DataFrame(rows).dropna(subset="score")
    draw_scores(
        rows, "Score (0 to 9)", f"{snakemake.wildcards.lineage}, graded by {judge}",
        list(snakemake.output),
    )  # fmt: skip


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
