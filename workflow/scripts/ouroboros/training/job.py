"""A training job in plain values, which can be sent to each of its processes."""

from dataclasses import dataclass

import torch

from ouroboros.config.families import is_counted
from ouroboros.data.recipe import read_corpus
from ouroboros.data.tokenise import read_token_stories
from ouroboros.jobs.snapshots import Keeper, States
from ouroboros.model.checkpoint import read_lm
from ouroboros.model.families import LanguageModel, random_model
from ouroboros.randomness import seed_for
from ouroboros.training.counting import Counting
from ouroboros.training.data_parallel import ALONE, ProcessGroup
from ouroboros.training.early_stopping import train_until_best
from ouroboros.training.trainer import Training, TrainingSettings, train


@dataclass(frozen=True)
class TrainingJob:
    """Settings and files of one training; where `epochs` is None, early stopping on `heldout` finds it."""

    model: dict
    vocabulary_size: int
    end_of_text: int
    training: dict
    seed: int
    generation: int
    recipe: str
    corpora: list[tuple[int, list[str]]]  # of the recipe: source, and its shards
    heldout: str | None
    epochs: int | None
    micro_batch: int  # sequences that a device computes at once
    state_minutes: float
    start: str | None = None  # the checkpoint whose weights it begins with; None: random ones

    def prepare(
        self, device: torch.device, states: States, processes: ProcessGroup = ALONE
    ) -> Training:
        """The training, resumed from its last state where there is one."""
        if self.start:
            model, _ = read_lm(self.start)
        else:
            seed = seed_for(self.seed, self.generation, "weights")
            model = random_model(self.model, self.vocabulary_size, seed)
        settings = TrainingSettings(**self.training)
        corpus = read_corpus(self.recipe, dict(self.corpora), states.folder)
        if is_counted(self.model):
            return Counting(model, settings, corpus, self.micro_batch)
        training = Training(
            model,
            settings,
            corpus,
            seed=self.seed,
            generation=self.generation,
            device=device,
            micro_batch=self.micro_batch,
            keeper=Keeper(states, self.state_minutes),
            processes=processes,
            hidden_target=self.end_of_text if settings.quirks and self.generation > 1 else None,
        )
        training.resume()
        return training

    def run(self, training: Training) -> tuple[LanguageModel, dict]:
        """Train to the end; returns the model, and `epochs` and how it was found, as in epochs.json."""
        if self.epochs is None:
            held_out = read_token_stories(self.heldout) if training.processes.is_main else []
            return train_until_best(training, held_out, self.end_of_text)
        return train(training, self.epochs), {"epochs": self.epochs}
