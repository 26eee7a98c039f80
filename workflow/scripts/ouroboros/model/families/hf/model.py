"""A causal LM of transformers, as a LanguageModel: states by its own modules, one matrix product for logits.

Attention is torch's `scaled_dot_product_attention`. Code of a checkpoint's author is never run.
"""

import functools
import logging

import torch
import torch.nn.functional as F
from torch import nn

from ouroboros.errors import UserError
from ouroboros.model.families import LanguageModel
from ouroboros.model.families.hf.declaration import is_dropout
from ouroboros.model.transformers_log import quiet

log = logging.getLogger("ouroboros")

SHAPES = ("intermediate_size", "n_inner", "num_key_value_heads", "head_dim")  # among `settings`


class HFModel(LanguageModel, nn.Module):
    """The language model `net`, of any architecture with final states and output weights."""

    def __init__(self, config):
        super().__init__()
        say_that_it_is_slower()
        self.vocabulary_size = config.vocab_size
        self.positions = self.context = config.max_position_embeddings
        self.spans = [self.positions] * config.num_hidden_layers
        self._take(_build(config))

    def _take(self, net):
        """Hold a model of transformers; output weights that are the embeddings are held once."""
        self.net, out = net, net.get_output_embeddings()
        self.tied = out.weight is net.get_input_embeddings().weight
        self.bias = getattr(out, "bias", None) is not None
        self._check_head()
        if self.tied:
            net.set_output_embeddings(nn.Identity())

    @classmethod
    def from_settings(cls, settings, vocabulary_size):
        return cls(_planned(settings, vocabulary_size))

    @classmethod
    def from_config(cls, config):
        from transformers import AutoConfig

        kept = {key: value for key, value in config.items() if key not in ("family", "model_type")}
        return cls(_configured(AutoConfig, config["model_type"], kept))

    @classmethod
    def from_transformers(cls, theirs, settings):
        planned, found = (
            _planned(settings, theirs.config.vocab_size).to_dict(),
            theirs.config.to_dict(),
        )
        other = {key: found[key] for key in SHAPES if found.get(key) != planned.get(key)}
        if other:
            raise UserError(
                f"The initial model's layers are of other sizes than {settings['architecture']}'s usual ones. Write in "
                f"the lineage's entry of `models`: settings: {other}"
            )
        # the row of a padding token would never learn, and it may be that of end-of-text
        config = found | {"pad_token_id": None}
        model, weights = cls.from_config(config), theirs.state_dict()
        model.load_weights({name: weights[name] for name in model.weights()})
        return model

    def initialise(self, seed):
        """Draw the weights as the architecture does."""
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self._take(_build(self.net.config))
        return self

    def _check_head(self):
        """Raise UserError unless logits are `hidden @ head.T`, as sampling and training take them to be."""
        ids = torch.arange(min(4, self.vocabulary_size))[None]
        with torch.inference_mode():
            ours, theirs = self.hidden(ids) @ self.head.T, self.net(ids, use_cache=False).logits
        alike = ours.shape == theirs.shape and torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        if not alike or (self.tied and self.bias):
            raise UserError(
                f"Logits of {self.net.config.model_type} are more than its final states times its output "
                "weights: scaled, or capped. Such an architecture cannot be sampled here."
            )

    @property
    def head(self):
        if self.tied:
            return self.net.get_input_embeddings().weight
        out = self.net.get_output_embeddings()
        # a bias is a weight of a state that is always 1
        return torch.cat([out.weight, out.bias[:, None]], 1) if self.bias else out.weight

    def hidden(self, ids):
        return self.states(self.net.base_model(input_ids=ids, use_cache=False))

    def states(self, output):
        """The final states of an output of the model's body, with a 1 where the output layer has a bias."""
        return F.pad(output.last_hidden_state, (0, int(self.bias)), value=1.0)

    def decoder(self, rows, length, dtype):
        return HFDecoder(self, length)

    def config(self, end_of_text):
        own = {"family": "hf", "bos_token_id": end_of_text, "eos_token_id": end_of_text}
        return self.net.config.to_dict() | own

    def weights(self):
        return self.net.state_dict()

    def load_weights(self, weights):
        self.net.load_state_dict(weights)


class HFDecoder:
    """Steps of sequences of up to `length` tokens, by a cache of fixed size; see model.families.Decoder."""

    def __init__(self, model, length):
        from transformers import StaticCache

        self.model = model
        self.cache = StaticCache(config=model.net.config, max_cache_len=length)

    def graph_key(self, time):
        return 0

    def step(self, ids, time, device_time):
        if time == 0:
            self.cache.reset()
        output = self.model.net.base_model(
            input_ids=ids[:, None],
            past_key_values=self.cache,
            cache_position=device_time,
            use_cache=True,
        )
        return self.model.states(output)[:, 0]


@functools.cache
def say_that_it_is_slower():
    """Say so in the log, once; the figures are of benchmarks/families.py."""
    log.info(
        "A model of the family hf, the slower path: GPT-2 at the demo's size, on two cores, is trained at "
        "0.8 and sampled at an eighth of the rate of gpt_neo, and 2.4 times as fast as by transformers' generate."
    )


def _planned(settings, vocabulary_size):
    """transformers' configuration of a resolved entry of `models`."""
    from transformers import AutoConfig

    name = settings["architecture"]
    keys = {
        "vocab_size": vocabulary_size, "hidden_size": settings["hidden_size"],
        "num_hidden_layers": settings["layers"], "num_attention_heads": settings["heads"],
        "max_position_embeddings": settings["positions"],
    }  # fmt: skip
    try:
        usual = AutoConfig.for_model(name)
    except (ValueError, KeyError) as error:
        raise UserError(
            f"transformers has no architecture {name!r}. `architecture` is a model_type of it: gpt2, "
            "llama, gpt_neox, qwen2, ..."
        ) from error
    known = {*usual.to_dict(), *usual.attribute_map}
    if "num_key_value_heads" in known:
        keys["num_key_value_heads"] = settings["heads"]
    if unknown := settings["settings"].keys() - known:
        raise UserError(
            f"The architecture {name} has no setting {', '.join(sorted(unknown))}. It has: "
            f"{', '.join(sorted(known))}."
        )
    tokens = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"))
    return _configured(AutoConfig, name, keys | tokens | settings["settings"])


def _configured(auto_config, name, keys):
    config = auto_config.for_model(name, **keys)
    for key in config.to_dict():
        if is_dropout(key) and getattr(config, key):
            setattr(config, key, type(getattr(config, key))(0))
    return config


def _build(config):
    from transformers import AutoModelForCausalLM

    with quiet():
        try:
            return AutoModelForCausalLM.from_config(
                config, attn_implementation="sdpa", dtype=torch.float32, trust_remote_code=False
            )
        except ValueError as error:
            raise UserError(
                f"A model of the architecture {config.model_type} cannot be built: "
                f"{str(error).splitlines()[0]}"
            ) from error


Model = HFModel  # the name by which model.families finds it
