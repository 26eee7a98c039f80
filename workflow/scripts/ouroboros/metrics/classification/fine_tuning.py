"""Fine-tuning of a classifier on a task's examples (paper 5.4).

Where the paper is silent, the defaults of transformers' `Trainer` hold: AdamW without weight decay,
a learning rate that falls linearly to zero, gradients clipped to norm 1, float32.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ouroboros.errors import UserError
from ouroboros.jobs.progress import Progress
from ouroboros.randomness import permutation

LARGEST_GRADIENT = 1.0  # norm
WINDOW = 50  # batches whose examples are sorted by length, as in the Trainer's `group_by_length`


@dataclass(frozen=True)
class FineTuning:
    """The `classification` settings of an `evaluation` entry, for one task."""

    learning_rate: float
    batch: int
    eval_batch: int
    max_length: int
    epochs: float
    seeds: int = 1  # not in a rule's params where it is 1 (Experiment.fine_tuning)


def epoch_orders(count: int, epochs: float, seed: int) -> list[np.ndarray]:
    """The order of `count` examples in every epoch; the last stops at the fraction of `epochs`."""
    orders = []
    for epoch in range(math.ceil(epochs)):
        share = min(1.0, epochs - epoch)
        orders.append(permutation(seed, epoch, count)[: math.ceil(share * count)])
    return orders


def batches(order: np.ndarray, lengths: np.ndarray, batch: int) -> list[np.ndarray]:
    """The examples of every update: of like length, from a window of `order` sorted by length.

    The updates of a window are in random order: that of their first examples in `order`.
    """
    found = []
    for start in range(0, len(order), WINDOW * batch):
        window = order[start : start + WINDOW * batch]
        places = np.argsort(lengths[window], kind="stable")
        pieces = [places[first : first + batch] for first in range(0, len(places), batch)]
        found += [window[piece] for piece in sorted(pieces, key=lambda piece: piece[0])]
    return found


def fine_tune(
    model, tokens: list[np.ndarray], labels: np.ndarray, orders: list[np.ndarray],
    settings: FineTuning,
) -> np.ndarray:  # fmt: skip
    """Train `model` on the examples of each epoch's order; returns the losses: float32 (updates,)."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing reads what it never wrote
    lengths = np.array([len(text) for text in tokens])
    updates = [rows for order in orders for rows in batches(order, lengths, settings.batch)]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=0.0, fused=True
    )
    decline = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: 1 - done / len(updates))
    progress = Progress("fine-tuning", sum(map(len, orders)), "examples")
    losses = []
    model.train()
    for rows in updates:
        ids = padded(model, [tokens[row] for row in rows])
        targets = torch.from_numpy(labels[rows]).to(model.device)
        loss = model(ids, labels=targets, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        decline.step()
        losses.append(loss.detach())  # as a number only below: a GPU need not be waited for
        progress.add(len(rows))
    losses = torch.stack(losses).cpu().numpy()
    progress.close(f"loss {losses[-1]:.4f}")
    _check_finite(losses)
    return losses


def padded(model, texts: list[np.ndarray]) -> torch.Tensor:
    """Token ids of a batch: (texts, longest), padded on the right, on the model's device."""
    ids = np.full((len(texts), max(map(len, texts))), model.config.pad_token_id)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    return torch.from_numpy(ids).to(model.device)


def _check_finite(losses):
    if not np.isfinite(losses).all():
        update = int(np.argmin(np.isfinite(losses)))
        raise UserError(
            f"The loss of fine-tuning is {losses[update]} at update {update + 1}. Lower "
            "`learning_rate` of the classification settings of this lineage; if it is so from the "
            "first update on, remove the checkpoint and run again."
        )
