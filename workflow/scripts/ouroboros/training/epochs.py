"""How the number of epochs was found: `found_by` of epochs.json, and in words."""


def found_by(losses: list[float], best: int, epochs: int | str, patience: int) -> str:
    """The end of generation 1's training: "config", "early stopping" or "max_epochs".

    `losses`: the held-out loss after every epoch tried; `best`: the epoch of the lowest; `epochs` and
    `patience`: settings of training. It is "max_epochs" where early stopping would have gone on.
    """
    if epochs != "auto":
        return "config"
    return "early stopping" if len(losses) - best >= patience else "max_epochs"


def epochs_in_words(found: dict) -> str:
    """The number of epochs and how it was found, from the content of epochs.json.

    The losses and settings decide, not `found_by`: once that was "early stopping" at max_epochs too.
    """
    best, losses, settings = (
        found["epochs"], found["held_out_losses"], found["provenance"]["training"]
    )  # fmt: skip
    tried, patience = len(losses), settings["patience"]
    number = f"Each generation is trained for {best} epoch{'s' if best > 1 else ''}"
    ended_by = found_by(losses, best, settings["epochs"], patience)
    if ended_by == "config":
        return f"{number}, as configured."
    if ended_by == "early stopping":
        return (
            f"{number}, found by early stopping: of the {tried} epochs that generation 1 tried, the "
            f"held-out loss was lowest after epoch {best}."
        )
    if tried == 1:
        reason = ", the first, so that no loss could be compared"
    elif best == tried:
        reason = " while the held-out loss still fell"
    else:
        reason = f", before {patience} epochs in a row had brought no lower held-out loss"
    return (
        f"{number}, which early stopping did not find: generation 1 stopped at max_epochs = {tried}"
        f"{reason}. Raise max_epochs in training."
    )
