"""N-grams: counts of a token after the tokens before it, add-delta; exact, and trained in seconds."""

SCHEMA = {
    "description": "One n-gram model.",
    "required": ["order"],
    "properties": {
        "order": {
            "type": "integer", "minimum": 1, "maximum": 5,
            "description": "Tokens of an n-gram: a token depends on the order - 1 before it; 1 is a distribution of tokens alone.",
        },
        "delta": {
            "type": "number", "exclusiveMinimum": 0, "maximum": 1000, "default": 0.01,
            "description": "Added to every count: p(v | x) = (N_xv + delta) / (N_x + delta V).",
        },
        "positions": {
            "type": "integer", "minimum": 2, "maximum": 1048576, "default": 2048,
            "description": "No sequence can be longer.",
        },
    },
}  # fmt: skip
COUNTED = True  # in one pass over its corpus, without gradients: it cannot be fine-tuned


def check(where: str, settings: dict):
    """Any settings in their ranges fit one another."""


def positions(settings: dict) -> int:
    """The longest sequence, in tokens."""
    return settings["positions"]


def parameters(settings: dict, vocabulary: int) -> int:
    """The probabilities after one context; how many contexts there are only the corpus knows."""
    return vocabulary


def non_embedding_parameters(settings: dict) -> int:
    """None: there is no network."""
    return 0
