"""GPT-Neo (paper 3.1.2): layers attend alternately to the whole context and to a window."""

from ouroboros.errors import UserError

SCHEMA = {
    "description": "One GPT-Neo architecture (paper 3.1.2).",
    "required": ["layers", "hidden_size", "heads"],
    "properties": {
        "layers": {
            "type": "integer", "minimum": 1, "maximum": 1000,
            "description": "Transformer blocks; attention alternates global, local.",
        },
        "hidden_size": {
            "type": "integer", "minimum": 1, "maximum": 65536,
            "description": "Width of the model; a multiple of `heads`.",
        },
        "heads": {
            "type": "integer", "minimum": 1, "maximum": 1024,
            "description": "Attention heads.",
        },
        "window": {
            "type": "integer", "minimum": 1, "default": 256,
            "description": "Tokens that a local layer looks back, its own among them.",
        },
        "context": {
            "type": "integer", "minimum": 1, "default": 512,
            "description": "Tokens that any layer looks back in training and sampling, its own among them (Algorithm 1's Max-Context-Length).",
        },
        "positions": {
            "type": "integer", "minimum": 2, "maximum": 1048576, "default": 2048,
            "description": "Position embeddings; no sequence can be longer.",
        },
        "initial_std": {
            "type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.02,
            "description": "Standard deviation of the random initial weights.",
        },
    },
}  # fmt: skip


def check(where: str, settings: dict):
    """Raise UserError unless the heads divide the width."""
    if settings["hidden_size"] % settings["heads"]:
        raise UserError(
            f"{where}: hidden_size {settings['hidden_size']} is not divisible by heads "
            f"{settings['heads']}; each head takes an equal share of it."
        )


def positions(settings: dict) -> int:
    """The longest sequence, in tokens."""
    return settings["positions"]


def parameters(settings: dict, vocabulary: int) -> int:
    """The number of parameters; the output layer is tied to the token embeddings."""
    width = settings["hidden_size"]
    block = 12 * width**2 + 10 * width  # matrices; biases and layer norms
    return (vocabulary + settings["positions"] + 2) * width + settings["layers"] * block


def non_embedding_parameters(settings: dict) -> int:
    """The parameters besides the embeddings, biases and layer norms (Kaplan et al. 2020)."""
    return 12 * settings["layers"] * settings["hidden_size"] ** 2
