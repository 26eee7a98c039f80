"""Families of models. A family is a folder here: docs/extending.md adds one.

`declaration.py` is what the configuration and the planning know of it, without torch and numpy:
- its docstring's first line says what the family is,
- `SCHEMA`: JSON schema of the keys of an entry of `models`, without `family`,
- `check(where, settings)`: raise UserError for settings that do not fit one another,
- `positions(settings)`: the longest sequence that a model takes, in tokens,
- `parameters(settings, vocabulary)`: the number of parameters,
- `non_embedding_parameters(settings)`: those besides the embeddings (Kaplan et al. 2020),
- `COUNTED`, where it is true: its models are trained by the method `count`, in one pass over their
  corpus and without gradients, so that they cannot be fine-tuned.

`model.py` has the class `Model`, a LanguageModel and a torch module. A checkpoint belongs to the
family that its config.json names in `family`, or else in `model_type`.
"""

from __future__ import annotations

import abc
import importlib
import typing

from ouroboros.config.families import DEFAULT
from ouroboros.errors import UserError

if typing.TYPE_CHECKING:  # config imports the declarations, and so this module
    import torch

    from ouroboros.model.decoding import Decoding


class LanguageModel(abc.ABC):
    """All that training, sampling and measuring need of a model, beside a torch module's methods."""

    vocabulary_size: int
    positions: int  # tokens of the longest sequence
    context: int  # tokens that a prediction depends on, at most
    spans: list[int]  # for each layer with a cache, the positions that it holds in sampling

    @classmethod
    @abc.abstractmethod
    def from_settings(cls, settings: dict, vocabulary_size: int) -> LanguageModel:
        """A model of a resolved entry of `models` (without `family`); `initialise` sets its weights."""

    @classmethod
    @abc.abstractmethod
    def from_config(cls, config: dict) -> LanguageModel:
        """A model of the content of config.json; `load_weights` sets its weights."""

    @classmethod
    def from_transformers(cls, theirs: torch.nn.Module, settings: dict) -> LanguageModel:
        """A model with the weights of one of transformers; `settings` as in `from_settings`, of the same sizes."""
        raise UserError("Models of this family begin with no others.")

    @abc.abstractmethod
    def initialise(self, seed: int) -> LanguageModel:
        """Give this model random weights, which depend on the seed alone; returns it."""

    @property
    @abc.abstractmethod
    def head(self) -> torch.Tensor:
        """The output weights, (vocabulary, width): logits are `hidden @ head.T`."""

    @abc.abstractmethod
    def hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (batch, time) -> final states (batch, time, width), each of the ids up to it."""

    @abc.abstractmethod
    def decoder(self, rows: int, length: int, dtype: torch.dtype) -> Decoder:
        """A decoder of `rows` sequences of up to `length` tokens, with caches of `dtype`."""

    @abc.abstractmethod
    def config(self, end_of_text: int) -> dict:
        """The content of config.json: transformers' where it has the architecture."""

    @abc.abstractmethod
    def weights(self) -> dict[str, torch.Tensor]:
        """The tensors of model.safetensors, under transformers' names where it has the architecture."""

    @abc.abstractmethod
    def load_weights(self, weights: dict[str, torch.Tensor]):
        """Load the tensors of model.safetensors; KeyError or RuntimeError where they do not fit."""

    def losses(self, ids: torch.Tensor, keep: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Losses in nats of next tokens: `targets` (n,), those after the ids (batch, time) where `keep` is true."""
        from ouroboros.model.cross_entropy import token_losses

        return token_losses(self.hidden(ids)[keep], self.head, targets)

    def log_probabilities(self, ids: torch.Tensor) -> torch.Tensor:
        """ln p of the token after ids (batch, time): float64 (batch, vocabulary)."""
        return (self.hidden(ids)[:, -1] @ self.head.T).double().log_softmax(1)

    def fused_sampler(self, rows: int, length: int, decoding: Decoding):
        """A faster way to sample than `decoder` with this decoding, or None.

        It has the method `steps` of gpt_neo.small_model.SmallModelSampler.
        """
        return None

    def from_second_position(self) -> LanguageModel:
        """This model with its positions counted from the second on, for the regime `published`."""
        raise UserError(
            "The regime published is for models of the family gpt_neo, as the authors' code is. Use replace."
        )

    @staticmethod  # noqa: B027 - optional
    def accelerate(theirs: torch.nn.Module):
        """Replace parts of a transformers model of this family by faster ones of the same result."""

    def compile_blocks(self):  # noqa: B027 - optional
        """Compile parts of the model for a GPU (torch.compile)."""


class Decoder(typing.Protocol):
    """Decodes sequences token by token."""

    def step(self, ids: torch.Tensor, time: int, device_time: torch.Tensor) -> torch.Tensor:
        """Tokens (rows,) at position `time` -> their final states (rows, width).

        `device_time`, int64 (1,), is the same number on the device, where a replayed step reads it.
        Times run from 0 upwards; at 0 the caches begin again.
        """

    def graph_key(self, time: int) -> int:
        """The key of a step's CUDA graph: steps with the same key can replay one graph."""


def family_of(config: dict) -> str | None:
    """The family that the content of a config.json names."""
    return config.get("family", config.get("model_type"))


def model_class(family: str) -> type[LanguageModel]:
    """The class of a family's models."""
    return importlib.import_module(f"{__name__}.{family}.model").Model


def family_class(settings: dict) -> type[LanguageModel]:
    """The class of the models of a resolved entry of `models`."""
    return model_class(settings.get("family", DEFAULT))


def random_model(settings: dict, vocabulary_size: int, seed: int) -> LanguageModel:
    """A model of a resolved entry of `models` with random weights."""
    own = {key: value for key, value in settings.items() if key != "family"}
    model = family_class(settings).from_settings(own, vocabulary_size)
    return model.initialise(seed)
