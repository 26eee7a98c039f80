"""The initial corpus's most frequent phrases that are left, and sentences that its source never makes."""

from ouroboros.pipeline.declarations import Field

OF = "corpus"
ORDER = 7
COUNT = "sentences"  # what the share of hallucinated sentences is of
INPUTS = ("corpus", "initial", "tokenizer", "grammar")
SETTINGS = {
    "phrases": {
        "type": "integer", "minimum": 1, "default": 100,
        "description": "The most frequent phrases (4 tokens) of the initial corpus that are looked for in generated text.",
    },
    "sentences": {
        "type": "integer", "minimum": 1, "default": 1000,
        "description": "Sentences, the first ones, that are looked up in the grammar, where the corpus is drawn from one.",
    },
}  # fmt: skip
RESOURCES = {"mem_mb": 6000, "runtime": 120}
SUPPORT = "What is left of the initial corpus"


def hallucinated_error(measured: dict) -> float | None:
    """Standard error of the share of hallucinated sentences, with stories as the sampled units."""
    return measured["hallucinated_error"]


def phrases_error(measured: dict) -> float | None:
    """Standard error of the share of phrases that are left, with sequences as the sampled units."""
    return measured["phrases_left_error"]


FIELDS = (
    Field("phrases_left", "phrases left", "of the initial corpus's most frequent, a tenth as frequent or more", "{:.0%}", phrases_error, heading=SUPPORT),
    Field("hallucinated", "hallucinated", "sentences that the grammar never makes", "{:.1%}", hallucinated_error, heading=SUPPORT),
)  # fmt: skip
