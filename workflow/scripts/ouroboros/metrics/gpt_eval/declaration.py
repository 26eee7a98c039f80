"""GPT-Eval: a judge's grades of completions (paper 5.3.3). Its rules are in evaluate.smk."""

from functools import partial

from ouroboros.pipeline.declarations import Field

OF = "lm"
ORDER = 4
COUNT = "graded"  # what its numbers are of
TEST = "GPT-Eval"  # in the schematic
GRADED = ("grammar", "creativity", "consistency")


def grade_error(name: str, measured: dict) -> float | None:
    """Standard error over beginnings of one of the GRADED; None with fewer than two of them."""
    return measured[name]["standard_error"]


FIELDS = (
    *(Field(f"{name}.mean", name, "mean grade, 0 to 9", "{:.2f}", partial(grade_error, name)) for name in GRADED),
    Field("graded", "graded", "completions with grades", "{:,}"),
    Field("unparsed", "ungraded", "completions without grades: the judge's log says why", "{:,}"),
    Field("bill.money", "cost", "by the judge's prices", "{:.2f}"),
)  # fmt: skip
