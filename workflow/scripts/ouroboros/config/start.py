"""`start` and `initial_model` of a lineage: the weights that its generations begin with."""

from ouroboros.config.families import is_counted
from ouroboros.errors import UserError


def settle_start(where: str, lineage: dict):
    """Fill in a lineage's `start`, in place, and check it.

    Keys that change nothing are removed: what lineages are compared by is then that of results made
    before there were these.
    """
    initial, start = lineage["initial_model"], lineage["start"]
    if start is None:
        start = lineage["start"] = "initial" if initial else "scratch"
    if start == "initial" and not initial:
        raise UserError(
            f"{where}: `start: initial` needs a model to begin with. Name it in `initial_model`, or choose "
            "scratch (random weights) or previous (those of the generation before)."
        )
    if is_counted(lineage["model"]) and (initial or start != "scratch"):
        raise UserError(
            f"{where}: a model of the family {lineage['model']['family']} counts its corpus, and begins with "
            "nothing. Write `start: null` and `initial_model: null`."
        )
    if not initial:
        del lineage["initial_model"]
    if start == "scratch":
        del lineage["start"]


def start_in_words(lineage: dict) -> str | None:
    """A sentence on the weights that a settled lineage's generations begin with; None where these are random, as the baseline's."""
    initial, start = lineage.get("initial_model"), lineage.get("start", "scratch")
    previous = "those of the generation before"
    if initial is None:
        return (
            f"Generation 1 begins with random weights, and each later one with {previous}."
            if start == "previous"
            else None
        )
    return {
        "scratch": f"The baseline is {initial}; each generation begins with random weights.",
        "initial": f"Each generation begins with the weights of {initial}, which is the baseline.",
        "previous": f"Generation 1 begins with the weights of {initial}, which is the baseline, and each "
        f"later one with {previous}.",
    }[start]
