"""Training of a model that counts (an n-gram model): one pass over its corpus."""

from dataclasses import dataclass, field

import numpy as np

from ouroboros.data.corpus import Corpus
from ouroboros.model.families import LanguageModel
from ouroboros.training.data_parallel import ALONE, ProcessGroup
from ouroboros.training.early_stopping import Search
from ouroboros.training.trainer import TrainingSettings

ROWS = 4096  # sequences counted at once


@dataclass
class Counting:
    """One generation, counted in one epoch; stands for a `Training` in early_stopping and `train`."""

    model: LanguageModel
    settings: TrainingSettings
    corpus: Corpus
    micro_batch: int  # of the held-out stories that are scored at once
    processes: ProcessGroup = ALONE
    losses: list = field(default_factory=list)  # there are no updates
    search: Search = field(default_factory=Search)
    epochs: int = 0

    def epoch(self):
        """Count the corpus."""
        for start in range(0, len(self.corpus), ROWS):
            rows = np.arange(start, min(start + ROWS, len(self.corpus)))
            tokens, previous = self.corpus.tokens[rows], self.corpus.previous[rows]
            self.model.count(np.concatenate([previous[:, None], tokens[:, :-1]], axis=1), tokens)
        self.epochs += 1
