"""Extended data figure 8 of the paper: weighted F1 in text classification."""

from ouroboros.report.figures.accuracy import draw_score, inputs  # noqa: F401

OF = "lineage"
ORDER = 5
CAPTION = """\
**Weighted F1 in text classification by generation, a panel for each task** (extended data figure 8 of the paper). A copy
of each generation is fine-tuned on the task. The lines of reference are the baseline, fine-tuned in the same
way, and the score of always naming the most frequent class.
"""


def draw(files, settings, lineage, outputs):
    draw_score(files, "weighted_f1", "Weighted F1", lineage, outputs)
