"""Perplexity on the validation set, and the distribution of token losses (paper 5.2)."""

from ouroboros.pipeline.declarations import Field

OF = "lm"
ORDER = 1
COUNT = "tokens"  # what its numbers are of
TEST = "perplexity"  # in the schematic
INPUTS = ("checkpoint", "validation")
SETTINGS = {
    "context": {
        "type": "integer", "minimum": 1, "maximum": 1048576, "default": 512,
        "description": "Tokens of its own story that a token of the validation set is predicted from, at most.",
    },
}  # fmt: skip
TABLE = "stories"  # written beside ppl.json, as ppl-stories.parquet
RESOURCES = {"gpu": 1, "threads": 4, "mem_mb": 6000, "runtime": 120, "batch": 32}


def perplexity_error(measured: dict) -> float | None:
    """Standard error of perplexity: that of the mean loss times perplexity (delta method)."""
    error = measured["standard_error"]
    return None if error is None else error * measured["perplexity"]


FIELDS = (
    Field(
        "perplexity", "perplexity", "on the validation set", "{:,.2f}", perplexity_error,
        in_summary="{:.2f}",
    ),
)  # fmt: skip
