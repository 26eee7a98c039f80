"""Any causal LM of transformers: the slower path, by its own modules, SDPA and a static cache."""

from ouroboros.errors import UserError
from ouroboros.model.families.gpt_neo.declaration import check as check_heads
from ouroboros.model.families.gpt_neo.declaration import (  # noqa: F401 - the same here
    non_embedding_parameters,
    positions,
)

SCHEMA = {
    "description": "One model of an architecture that transformers has.",
    "required": ["architecture", "layers", "hidden_size", "heads"],
    "properties": {
        "architecture": {
            "type": "string", "pattern": "^[a-z0-9_-]+$",
            "description": "Its `model_type` in transformers: gpt2, llama, gpt_neox, qwen2, ...",
        },
        "layers": {
            "type": "integer", "minimum": 1, "maximum": 1000,
            "description": "Transformer blocks.",
        },
        "hidden_size": {
            "type": "integer", "minimum": 1, "maximum": 65536,
            "description": "Width of the model; a multiple of `heads`.",
        },
        "heads": {
            "type": "integer", "minimum": 1, "maximum": 1024,
            "description": "Attention heads; of keys and values too, unless `settings` has fewer of them.",
        },
        "positions": {
            "type": "integer", "minimum": 2, "maximum": 1048576, "default": 2048,
            "description": "The longest sequence. Every prediction depends on all that is before it: there is no sliding window.",
        },
        "settings": {
            "type": "object", "default": {},
            "description": "Other keys of the architecture's config.json, such as intermediate_size.",
        },
    },
}  # fmt: skip
OWN = {  # keys of `settings` that others decide
    "num_hidden_layers": "layers", "hidden_size": "hidden_size", "num_attention_heads": "heads",
    "max_position_embeddings": "positions", "model_type": "architecture",
    "vocab_size": "vocabulary_size of the tokenizer",
}  # fmt: skip


def check(where: str, settings: dict):
    """Raise UserError unless the heads divide the width and each setting is given once."""
    check_heads(where, settings)
    for key, own in OWN.items():
        if key in settings["settings"]:
            raise UserError(f"{where}.settings: {key} is decided by {own}. Remove it.")
    for key in settings["settings"]:
        if is_dropout(key):
            raise UserError(
                f"{where}.settings: {key} is 0 here: a run that is resumed has to be the same as one that was "
                "never stopped. Remove it."
            )


def is_dropout(key: str) -> bool:
    """Tell whether a key of a config.json is a rate of dropout."""
    return "dropout" in key or key.endswith(("pdrop", "_drop"))


def parameters(settings: dict, vocabulary: int) -> int:
    """About how many parameters: tied embeddings, learned positions and blocks of GPT-2's proportions."""
    width = settings["hidden_size"]
    return (vocabulary + settings["positions"]) * width + non_embedding_parameters(settings)
