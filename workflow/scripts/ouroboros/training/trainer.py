"""Training of one generation from random weights (paper 5.1.2, Algorithm 1).

AdamW, at a constant learning rate as in the paper or at one that falls to zero. Every update takes `batch` sequences, in micro-batches that fit
the device: the gradient of an update is that of the mean loss over all its tokens.
"""

import logging
import math
from dataclasses import dataclass, field

import numpy as np
import torch

from ouroboros.data.corpus import Corpus
from ouroboros.errors import UserError
from ouroboros.jobs import signals
from ouroboros.jobs.batch_size import halve_until_fits
from ouroboros.jobs.device import autocast
from ouroboros.jobs.progress import Progress
from ouroboros.jobs.snapshots import Keeper
from ouroboros.kernels import gpu_compilers
from ouroboros.model.cross_entropy import summed_loss
from ouroboros.model.families import LanguageModel
from ouroboros.randomness import permutation, seed_for
from ouroboros.training.data_parallel import ALONE, ProcessGroup
from ouroboros.training.early_stopping import Search
from ouroboros.training.trainer_state import gather, restore

# A scale of 2^16 halved so often is far below 1: then the scale is not the cause.
MOST_SKIPPED = 20  # updates in a row

log = logging.getLogger("ouroboros")


@dataclass(frozen=True)
class TrainingSettings:
    """An entry of `training` in the configuration."""

    batch: int
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float
    gradient_clip: float
    epochs: int | str
    max_epochs: int
    patience: int
    precision: str
    schedule: str | None = None  # of the learning rate; None is constant
    quirks: bool = (
        False  # of the regime published: from generation 2 on, end-of-text is hidden from the loss
    )


@dataclass
class Training:
    """One generation in training; `epoch` makes one pass over the corpus.

    `seed` and `generation` decide the order of the sequences. `losses` holds the mean loss of every update in nats, None where it was not finite. A `keeper`
    writes states to disk. Each of several `processes` has a `device` of its own and computes its
    part of every update. Targets that are the token `hidden_target` count for nothing.
    """

    model: LanguageModel
    settings: TrainingSettings
    corpus: Corpus
    seed: int
    generation: int
    device: torch.device
    micro_batch: int
    keeper: Keeper | None = None
    processes: ProcessGroup = ALONE
    losses: list[float | None] = field(default_factory=list)
    search: Search = field(default_factory=Search)
    hidden_target: int | None = None
    skipped: int = 0  # updates in a row that fp16's scaler has skipped

    def __post_init__(self):
        self._check()
        torch.use_deterministic_algorithms(True, warn_only=True)
        # it would write to every new tensor, for the sake of code that reads what it never wrote
        torch.utils.deterministic.fill_uninitialized_memory = False
        self.model.to(self.device)
        if self.device.type == "cuda" and gpu_compilers.usable("cuda"):
            self.model.compile_blocks()
        self.optimizer = make_optimizer(self.model, self.settings)
        scaled = self.settings.precision == "fp16" and self.device.type == "cuda"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.scaler.scale(
            torch.zeros((), device=self.device)
        )  # creates its state now, so that it can be loaded

    @property
    def epochs(self) -> int:
        """Complete passes over the corpus."""
        return len(self.losses) // self._updates_per_epoch()

    def _updates_per_epoch(self):
        return -(-len(self.corpus) // self.settings.batch)

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next update: constant, or down to zero over all updates of the generation.

        That is D2Z of arXiv:2502.15938 where `schedule` is linear, and the decay of arXiv:1608.03983,
        equation 5, without restarts where it is cosine.
        """
        highest = self.settings.learning_rate
        if self.settings.schedule is None:
            return highest
        done = len(self.losses) / (self.settings.epochs * self._updates_per_epoch())
        if self.settings.schedule == "linear":
            return highest * (1 - done)
        return highest * (1 + math.cos(math.pi * done)) / 2

    def resume(self):
        """Resume from the last good state, where there is one; rank 0 chooses it."""
        if self.keeper is None:
            return
        state = self.keeper.latest() if self.processes.is_main else None
        number = int(self.processes.broadcast(self.keeper.last or 0))
        if number:
            restore(self, *(state or self.keeper.state(number)))
            log.info(
                "Resuming after update %d (%d epochs are complete), from %s.",
                len(self.losses), self.epochs, self.keeper.states.path(number),
            )  # fmt: skip

    def epoch(self):
        """Make one pass over the corpus in its own random order, or the rest of an interrupted one.

        The last update takes the remaining sequences. On a signal the state is written, then the
        job stops.
        """
        self.model.train()
        key = seed_for(self.seed, self.generation, "order")
        order = permutation(key, self.epochs, len(self.corpus))
        order = order[len(self.losses) % self._updates_per_epoch() * self.settings.batch :]
        name = f"generation {self.generation}, epoch {self.epochs + 1}"
        length = self.corpus.tokens.shape[1]
        progress = Progress(name, len(order) * length, "tokens")
        with signals.defer_signals():
            for start in range(0, len(order), self.settings.batch):
                # sorted: quicker to read, and an update is a sum over a set
                rows = np.sort(order[start : start + self.settings.batch])
                loss = self.update(rows)
                self.losses.append(loss if math.isfinite(loss) else None)
                progress.add(length * len(rows), f"loss {loss:.4f}")
                self._keep(now=start + self.settings.batch >= len(order))
                self._stop_if_asked()
        progress.close(f"loss {loss:.4f}")

    def update(self, rows: np.ndarray) -> float:
        """Make one AdamW update on the sequences `rows`; returns the mean loss of their tokens in nats."""
        tokens = len(rows) * self.corpus.tokens.shape[1]
        if self.hidden_target is not None:
            tokens = max(1, int((self.corpus.tokens[rows] != self.hidden_target).sum()))
        own = self.processes.own(rows)
        losses, self.micro_batch = halve_until_fits(
            self.micro_batch, lambda size: self._gradients(own, size, tokens)
        )
        self.processes.sum_gradients(self.model)
        self.scaler.unscale_(self.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.gradient_clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        self.scaler.step(self.optimizer)
        self.scaler.update()
        loss = self.processes.sum(torch.stack(losses).sum(dtype=torch.float64)) / tokens
        self._check_finite(loss, norm.item())
        return loss

    def _gradients(self, rows, micro_batch, tokens):
        """Compute these rows' part of an update's gradient, in the parameters' `grad`.

        Returns a zero, then the summed loss of each micro-batch.
        """
        # zeros in place: freeing and allocating them at every update would fragment the memory
        self.optimizer.zero_grad(set_to_none=False)
        losses = [torch.zeros((), device=self.device)]  # a rank may have no row of a small update
        for start in range(0, len(rows), micro_batch):
            inputs, targets = self._micro_batch(rows[start : start + micro_batch])
            with autocast(self.device, self.settings.precision):
                hidden, targets = self.model.hidden(inputs).flatten(0, 1), targets.flatten()
                if self.hidden_target is not None:
                    kept = targets != self.hidden_target
                    hidden, targets = hidden[kept], targets[kept]
                    if not len(targets):
                        continue  # empty stories alone: nothing to learn
                loss = summed_loss(hidden, self.model.head, targets)
            self.scaler.scale(loss / tokens).backward()
            losses.append(loss.detach())  # no .item() here: it would wait for the GPU
            self._stop_if_asked()  # an update can take minutes; this one will be computed again
        return losses

    def _keep(self, now):
        if self.keeper and self.processes.is_main and (now or self.keeper.due()):
            self.keeper.keep(*gather(self))

    def _stop_if_asked(self):
        if signals.stop_requested():
            self._keep(now=True)
            signals.stop_if_requested()

    def _micro_batch(self, rows):
        """Inputs and targets, int64 (rows, length) each: input t is the token before target t."""
        tokens = self.corpus.tokens[rows].astype(np.int64)
        previous = self.corpus.previous[rows].astype(np.int64)
        inputs = np.concatenate([previous[:, None], tokens[:, :-1]], axis=1)
        parts = [torch.from_numpy(part) for part in (inputs, tokens)]
        if self.device.type == "cuda":  # the copy runs while the GPU computes
            return [part.pin_memory().to(self.device, non_blocking=True) for part in parts]
        return parts

    def _check(self):
        length, positions = self.corpus.tokens.shape[1], self.model.positions
        if length > positions:
            raise UserError(
                f"The corpus has sequences of {length} tokens, the model {positions} positions. "
                "Raise `positions` of the model or lower `sequence_length` of the sampling."
            )
        largest = int(max(self.corpus.tokens.max(), self.corpus.previous.max()))
        if largest >= self.model.vocabulary_size:
            raise UserError(
                f"The corpus holds token {largest}, the tokenizer only "
                f"{self.model.vocabulary_size} tokens: they do not belong together. "
                "Remake the corpus."
            )

    def _check_finite(self, loss, norm):
        """Raise UserError for a loss or gradient that is not finite, unless fp16's scaler skips it."""
        if math.isfinite(loss) and math.isfinite(norm):
            self.skipped = 0
            return
        self.skipped += 1
        update = len(self.losses) + 1
        if self.scaler.is_enabled() and self.skipped < MOST_SKIPPED:
            log.info("update %d was skipped (loss %s); the scale is halved", update, loss)
            return
        state = self.keeper and self.keeper.last_path()
        raise UserError(
            f"The loss of generation {self.generation} is {loss}, and the norm of its gradient "
            f"{norm}, at update {update} (epoch {self.epochs + 1})"
            + (f", the {self.skipped}th in a row" if self.skipped > 1 else "")
            + f". The last good state is {state or 'none'}. Lower `learning_rate`, or set "
            "`precision` to bf16 or fp32, in the training settings of this lineage."
        )


def train(training: Training, epochs: int) -> LanguageModel:
    """Train for a given number of epochs."""
    while training.epochs < epochs:
        training.epoch()
    return training.model


def make_optimizer(model: LanguageModel, settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW that decays weight matrices and embeddings, as transformers' Trainer does."""
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=settings.learning_rate, betas=tuple(settings.betas), fused=True
    )
