"""Text classification: scores of a fine-tuned copy, task by task (paper 5.4). Its rules and settings are its own."""

from ouroboros.pipeline.declarations import Field

OF = "lm"
ORDER = 4
FIELDS = (
    Field("accuracy", "accuracy", "share of examples classified rightly", "{:.3f}", "standard_error"),
    Field("weighted_f1", "weighted F1", "F1 of the classes, by their share", "{:.3f}"),
)  # fmt: skip
# The paper's tasks, as it writes them.
TASKS = {
    "imdb": "IMDB", "sst2": "SST-2", "yelp": "Yelp", "qqp": "QQP", "qnli": "QNLI", "mrpc": "MRPC",
    "rte": "RTE", "cola": "CoLA",
}  # fmt: skip


def task_name(task: str) -> str:
    """A task of the configuration as the paper writes it, where it is one of the paper's."""
    return TASKS.get(task, task)
