"""Generation 1 finds the number of epochs by early stopping (paper 5.1.2)."""

import copy
import logging
import math
from dataclasses import dataclass, field

import numpy as np

from ouroboros.model.scoring import mean_loss, story_losses
from ouroboros.training.epochs import found_by

log = logging.getLogger("ouroboros")


@dataclass
class Search:
    """Early stopping so far: the held-out loss after every epoch, the best epoch and its weights."""

    losses: list[float] = field(default_factory=list)
    best: int = 0
    weights: dict | None = None


def train_until_best(training, held_out: list[np.ndarray], end_of_text: int):
    """Train with early stopping on the held-out stories (paper 5.1.2).

    Returns the model of the best epoch and the content of `epochs.json`: `epochs`, its number,
    `found_by` (see training/epochs.py), and `held_out_losses`, the loss after every epoch that was
    tried. A held-out story is cut at the model's context. A fixed number in `epochs` is trained as it
    is, and its losses are recorded.
    """
    settings, search = training.settings, training.search
    fixed = None if settings.epochs == "auto" else settings.epochs
    held_out = [story[: training.model.context] for story in held_out]
    patience = math.inf if fixed else settings.patience
    while (
        len(search.losses) < (fixed or settings.max_epochs)
        and len(search.losses) - search.best < patience
    ):
        if training.epochs == len(search.losses):  # else it was stopped before it was measured
            training.epoch()
        loss = (
            _held_out_loss(training, held_out, end_of_text) if training.processes.is_main else 0.0
        )
        search.losses.append(training.processes.broadcast(loss))
        epoch = len(search.losses)
        log.info("epoch %d: held-out loss %.5f", epoch, search.losses[-1])
        if fixed or not search.best or search.losses[-1] < search.losses[search.best - 1]:
            search.best, search.weights = epoch, copy.deepcopy(training.model.state_dict())
    training.model.load_state_dict(search.weights)
    ended_by = found_by(search.losses, search.best, settings.epochs, settings.patience)
    found = {"epochs": search.best, "found_by": ended_by, "held_out_losses": search.losses}
    return training.model, found


def _held_out_loss(training, held_out, end_of_text):
    training.model.eval()
    context = training.model.context
    losses = story_losses(training.model, held_out, end_of_text, context, training.micro_batch)
    return mean_loss(losses)
