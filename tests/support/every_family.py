"""A small lineage of each family of models that is not the fast one, side by side."""

import copy

from tools import TINY

MODELS = {
    "counted": {"family": "ngram", "order": 2, "positions": 32},
    "gpt2": {
        "family": "hf", "architecture": "gpt2", "layers": 2, "hidden_size": 16, "heads": 2, "positions": 32,
    },
}  # fmt: skip


def with_families(generations: int, config: dict = TINY) -> dict:
    """A configuration with a lineage of each of these models, called by it, instead of its lineage `tiny`.

    The one that is trained goes on from generation to generation, and samples by a decoding.
    """
    config = copy.deepcopy(config)
    tiny = config["lineages"].pop("tiny")
    config["models"] |= MODELS
    config["training"]["counted"] = {"batch": 8, "learning_rate": 1.0e-2, "epochs": 1}
    config["sampling"]["tiny"] |= {"top_p": 0.95, "min_p": 0.01}
    for name in MODELS:
        config["lineages"][name] = {
            **copy.deepcopy(tiny),
            "model": name,
            "generations": generations,
        }
    config["lineages"]["counted"]["training"] = "counted"
    config["lineages"]["gpt2"]["start"] = "previous"
    return config
