"""N-gram models: counts of tokens by context, and probabilities in float64.

p(v | x) = (N_xv + delta) / (N_x + delta V), with x the order - 1 tokens before v, N_xv the number of times
that v follows x in the corpus, N_x their sum over v, and V the size of the vocabulary. After a context that
was never seen every token is as probable. A token near the beginning of a sequence has a shorter context,
which is a context of its own.
"""

import numpy as np
import torch

from ouroboros.model.families import LanguageModel


class Model(LanguageModel, torch.nn.Module):
    """A table of counts, on the CPU.

    `contexts` (C,): codes of the contexts seen, in order. Of entry e: `keys` (E,), its context's place in
    `contexts` times V plus its token, in order, and `counts` (E,).
    """

    spans = ()  # no layers, no caches

    def __init__(self, order: int, delta: float, positions: int, vocabulary_size: int):
        super().__init__()
        self.order, self.delta, self.positions = order, delta, positions
        self.vocabulary_size = vocabulary_size
        self.context = max(1, order - 1)
        for name in ("contexts", "keys", "counts"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int64))

    @classmethod
    def from_settings(cls, settings, vocabulary_size):
        return cls(**settings, vocabulary_size=vocabulary_size)

    @classmethod
    def from_config(cls, config):
        keys = ("order", "delta", "positions")
        return cls(*(config[key] for key in keys), vocabulary_size=config["vocab_size"])

    def initialise(self, seed):
        """Nothing is random: a model without counts is uniform."""
        return self

    def to(self, *_, **__):
        """Stay on the CPU."""
        return self

    def config(self, end_of_text):
        return {
            "model_type": "ngram", "family": "ngram", "order": self.order, "delta": self.delta,
            "positions": self.positions, "vocab_size": self.vocabulary_size,
            "bos_token_id": end_of_text, "eos_token_id": end_of_text,
        }  # fmt: skip

    def weights(self):
        return self.state_dict()

    def load_weights(self, weights):
        for name in ("contexts", "keys", "counts"):
            self.register_buffer(name, weights[name])

    @property
    def head(self):
        """No output weights: (vocabulary, 0)."""
        return torch.empty(self.vocabulary_size, 0)

    def hidden(self, ids):
        raise TypeError("An n-gram model has no states.")

    def decoder(self, rows, length, dtype):
        raise TypeError("An n-gram model has no states.")

    def count(self, inputs: np.ndarray, targets: np.ndarray):
        """Add to the counts: targets (sequences, time), each after the inputs up to its own time."""
        codes, tokens = self.codes(inputs).ravel(), targets.ravel().astype(np.int64)
        seen, places = np.unique(codes, return_inverse=True)
        contexts, keys, counts = (
            getattr(self, name).numpy() for name in ("contexts", "keys", "counts")
        )
        union = np.union1d(contexts, seen)
        size = self.vocabulary_size
        before = np.searchsorted(union, contexts)[keys // size] * size + keys % size
        now, times = np.unique(
            np.searchsorted(union, seen)[places] * size + tokens, return_counts=True
        )
        keys, places = np.unique(np.concatenate([before, now]), return_inverse=True)
        total = np.zeros(len(keys), np.int64)
        np.add.at(total, places, np.concatenate([counts, times]))
        self.load_weights(
            {name: torch.from_numpy(value) for name, value in
             (("contexts", union), ("keys", keys), ("counts", total))}
        )  # fmt: skip

    def codes(self, inputs: np.ndarray) -> np.ndarray:
        """The context of each next token as a number: inputs (sequences, time) -> int64 of that shape."""
        base, inputs = self.vocabulary_size + 1, inputs.astype(np.int64)  # V stands for no token
        codes = np.zeros_like(inputs)
        for back in range(self.order - 1):
            earlier = np.full_like(inputs, self.vocabulary_size)
            earlier[:, back:] = inputs[:, : max(0, inputs.shape[1] - back)]
            codes += earlier * base**back
        return codes

    def probabilities(self, codes: np.ndarray) -> np.ndarray:
        """The distribution of the next token after each context: codes (n,) -> float64 (n, vocabulary)."""
        found, rows = self._place(codes)
        size, keys, counts = self.vocabulary_size, self.keys.numpy(), self.counts.numpy()
        table = np.full((len(codes), size), self.delta)
        for row, place in zip(np.flatnonzero(found), rows[found], strict=True):
            first, last = np.searchsorted(keys, [place * size, (place + 1) * size])
            table[row, keys[first:last] - place * size] += counts[first:last]
        totals = table.sum(1, keepdims=True)
        return np.divide(table, totals, out=np.full_like(table, 1 / size), where=totals > 0)

    def losses(self, ids, keep, targets):
        codes = self.codes(ids.numpy())[keep.numpy()]
        size, keys, counts = self.vocabulary_size, self.keys.numpy(), self.counts.numpy()
        if not len(keys):
            return torch.full((len(codes),), np.log(size), dtype=torch.float64)
        found, places = self._place(codes)
        ends = np.concatenate([[0], np.cumsum(counts)])
        first, last = (np.searchsorted(keys, (places + next_one) * size) for next_one in (0, 1))
        totals = np.where(found, ends[last] - ends[first], 0) + self.delta * size
        wanted = places * size + targets.numpy()
        entries = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        own = np.where(found & (keys[entries] == wanted), counts[entries], 0) + self.delta
        with np.errstate(divide="ignore"):  # at delta 0 a token may be impossible
            logs = np.log(own) - np.log(totals)
        return torch.from_numpy(-np.where(totals > 0, logs, -np.log(size)))

    def log_probabilities(self, ids):
        with np.errstate(divide="ignore"):  # at delta 0 a token may be impossible
            logs = np.log(self.probabilities(self.codes(ids.numpy())[:, -1]))
        return torch.from_numpy(logs)

    def _place(self, codes):
        """Look contexts up: a mask of those that were seen, and the place of each in `contexts`."""
        contexts = self.contexts.numpy()
        if not len(contexts):
            return np.zeros(len(codes), bool), np.zeros(len(codes), np.int64)
        places = np.minimum(np.searchsorted(contexts, codes), len(contexts) - 1)
        return contexts[places] == codes, places

    def fused_sampler(self, rows, length, decoding):
        return Sampler(self, decoding)


class Sampler:
    """Draws tokens by the inverse of the cumulative distribution."""

    def __init__(self, model, decoding):
        self.model, self.decoding = model, decoding

    def steps(self, tokens, draws, given, first, last):
        """Draw positions `first` to `last`; as gpt_neo.small_model.SmallModelSampler does."""
        tokens, draws, given = tokens.numpy(), draws.numpy(), given.numpy()
        reach = max(1, self.model.order - 1)
        for time in range(first, last):
            before = tokens[max(0, time + 1 - reach) : time + 1].T
            contexts, rows = np.unique(self.model.codes(before)[:, -1], return_inverse=True)
            table = self.model.probabilities(contexts)
            if not self.decoding.full:  # the logarithms of probabilities are logits
                logits = torch.from_numpy(
                    np.log(table, out=np.full_like(table, -np.inf), where=table > 0)
                )
                table = self.decoding.logits(logits).softmax(1).numpy()
            elif self.decoding.temperature != 1.0:
                table **= 1 / self.decoding.temperature
            ends = np.cumsum(table, 1)
            ends /= ends[:, -1:]
            for place in range(len(contexts)):
                own = np.flatnonzero(rows == place)
                drawn = np.searchsorted(ends[place], draws[time, own], side="right")
                tokens[time + 1, own] = drawn
            np.copyto(tokens[time + 1], given[time + 1], where=given[time + 1] >= 0)
