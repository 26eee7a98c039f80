"""Rule figure_classification: figure 4 (accuracy) or Extended Data Fig. 8 (weighted F1), of one lineage."""

import pandas as pd

from adaptor import run
from ouroboros.findings.claims import task_name
from ouroboros.report.figures.scores import draw_scores
from ouroboros.storage.atomic import read_json

LABELS = {"accuracy": "Accuracy", "weighted_f1": "Weighted F1"}


def main(snakemake):
    metric, rows = snakemake.wildcards.metric, []
    for path in snakemake.input:
        figures = read_json(path)
        made = figures["provenance"]
        error = figures["standard_error"] if metric == "accuracy" else None
        rows.append(
            {
                "panel": task_name(made["task"]),
                "generation": made["generation"],
                "score": figures[metric],
                "error": error,
                "guess": figures["majority"][metric],
            }
        )
    lineage = snakemake.wildcards.lineage
    draw_scores(pd.DataFrame(rows), LABELS[metric], lineage, list(snakemake.output))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
