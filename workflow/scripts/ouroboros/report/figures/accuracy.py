"""Figure 4 of the paper: accuracy in text classification."""

from ouroboros.metrics.classification.declaration import SEED_DEVIATION, accuracy_error, task_name

OF = "lineage"
ORDER = 4
CAPTION = f"""\
**Accuracy in text classification by generation, a panel for each task** (figure 4 of the paper). A copy of each
generation is fine-tuned on the task. Bars are one standard error, of the choice of validation examples and of the seeds
of fine-tuning; where there is one seed, a standard deviation of {SEED_DEVIATION} between seeds is assumed. The lines of
reference are the baseline, fine-tuned in the same way, and the accuracy of always naming the most frequent
class.
"""
SCORE, LABEL = "accuracy", "Accuracy"


def inputs(experiment, lineage):
    scored = experiment.files(lineage, "classification")
    return {"classification": scored} if scored else None


def draw(files, settings, lineage, outputs):
    draw_score(files, SCORE, LABEL, lineage, outputs)


def draw_score(files, score, label, lineage, outputs):
    """Draw one of the scores that classification measures, with its error where there is one."""
    import pandas as pd

    from ouroboros.report.drawing.scores import draw_scores
    from ouroboros.storage.atomic import read_json

    rows = [
        {
            "panel": task_name(measured["provenance"]["task"]),
            "generation": measured["provenance"]["generation"],
            "score": measured[score],
            "error": accuracy_error(measured) if score == "accuracy" else None,
            "guess": measured["majority"][score],
        }
        for measured in map(read_json, files["classification"])
    ]
    draw_scores(pd.DataFrame(rows), label, lineage, outputs)
