"""The errors of section 2 of the paper, at the most frequent beginnings of stories."""

from ouroboros.pipeline.declarations import Field

OF = "lm"
ORDER = 6
COUNT = "finite"  # the beginnings that its numbers are means of
INPUTS = ("checkpoint", "initial", "tokenizer", "grammar", "known_stories", "losses", "before")
SETTINGS = {
    "beginnings": {
        "type": "integer", "minimum": 1, "maximum": 10000, "default": 32,
        "description": "Beginnings of stories, the most frequent ones, at which the theory is measured.",
    },
    "probability_cut": {
        "type": "number", "minimum": 0, "maximum": 1, "default": 0.001,
        "description": "The errors are counted a second time over the tokens that were at least as probable as this a generation before.",
    },
}  # fmt: skip
TABLE = "series"  # what the next generation's errors are added to
RESOURCES = {"mem_mb": 4000, "runtime": 60}
THEORY = "Theory: the errors that accumulate (docs/theory.md)"


def growth_error(measured: dict) -> float | None:
    """Standard error of the growth, nats, with beginnings as the sampled units."""
    return measured["growth_error"]


def divergence_error(measured: dict) -> float | None:
    """Standard error of the divergence, nats per token, with stories as the sampled units."""
    return measured["divergence_error"]


FIELDS = (
    Field("growth", "growth of y", "ln y[n] - ln y[n-1], mean over beginnings", "{:.2f}", growth_error, heading=THEORY),
    Field("growth_above_cut", "above the cut", "the same, of tokens above the cut", "{:.2f}", heading=THEORY),
    Field("growth_control", "of counts alone", "what redrawn counts would give were the model exact", "{:.2f}", heading=THEORY),
    Field("log10_y", "log10 y", "initial counts and all errors since, mean", "{:.1f}", heading=THEORY),
    Field("log10_memory", "log10 memory", "share of the initial counts in y, mean", "{:.1f}", heading=THEORY),
    Field("divergence", "KL(p_0 || p_n)", "nats per token of whole stories, where the grammar knows p_0", "{:.3f}", divergence_error, heading=THEORY),
)  # fmt: skip
