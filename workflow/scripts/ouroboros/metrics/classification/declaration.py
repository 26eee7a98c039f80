"""Text classification: scores of a fine-tuned copy by task (paper 5.4). Its rules are in evaluate.smk."""

import math

from ouroboros.pipeline.declarations import Field

OF = "lm"
ORDER = 5
COUNT = "examples"  # what its numbers are of
# Of the accuracies of one checkpoint fine-tuned with 9 seeds and measured on 25,000 examples (0.0102,
# against a binomial error of 0.0031): what a single fine-tuning cannot tell of itself.
SEED_DEVIATION = 0.01


def binomial_error(share: float, examples: int) -> float:
    """Standard error of a share of so many independent examples."""
    return math.sqrt(share * (1 - share) / examples)


def accuracy_error(measured: dict) -> float:
    """Standard error of an accuracy, of the validation examples and of the seeds of fine-tuning.

    With several seeds the artifact's own has both. With one it is binomial, and SEED_DEVIATION is added
    in quadrature.
    """
    error = measured["standard_error"]
    return error if measured.get("seeds", 1) > 1 else math.hypot(error, SEED_DEVIATION)


FIELDS = (
    Field("accuracy", "accuracy", "share of examples classified correctly", "{:.3f}", accuracy_error),
    Field("weighted_f1", "weighted F1", "F1 of the classes, weighted by their frequency", "{:.3f}"),
)  # fmt: skip
# The paper's tasks, as it writes them.
TASKS = {
    "imdb": "IMDB", "sst2": "SST-2", "yelp": "Yelp", "qqp": "QQP", "qnli": "QNLI", "mrpc": "MRPC",
    "rte": "RTE", "cola": "CoLA",
}  # fmt: skip


def task_name(task: str) -> str:
    """The paper's spelling of one of its tasks; any other name as it is."""
    return TASKS.get(task, task)
