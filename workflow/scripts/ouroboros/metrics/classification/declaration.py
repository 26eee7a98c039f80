"""Text classification: scores of a fine-tuned copy by task (paper 5.4). Its rules are in evaluate.smk."""

from ouroboros.pipeline.declarations import Field

OF = "lm"
ORDER = 4
FIELDS = (
    Field("accuracy", "accuracy", "share of examples classified correctly", "{:.3f}", "standard_error"),
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
