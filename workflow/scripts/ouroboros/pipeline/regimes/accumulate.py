"""All of C_0 to C_{n-1} (Gerstgrasser et al. 2024); no more than `cap` of their sequences, drawn anew."""

from ouroboros.errors import UserError
from ouroboros.pipeline.regimes import Part

MARK = "with all\nbefore it"
SETTINGS = {
    "cap": {"type": ["integer", "null"], "minimum": 1, "default": None,
            "description": "The most sequences that a generation trains on; null: no limit."},
}  # fmt: skip


def check(where, lineage, settings):
    """A cap below one corpus would not even hold that."""
    sequences, cap = lineage["sampling"]["sequences"], settings["cap"]
    if cap is not None and sequences != "auto" and cap < sequences:
        raise UserError(
            f"{where}.cap: {cap} is less than the {sequences} sequences of one corpus, so nothing would "
            "accumulate. Raise it, or use the regime accumulate_subsample."
        )


def parts(n, size, cap=None):
    """Parts of generation n's training corpus."""
    before = list(range(n))
    return [Part(before, None if cap is None or sum(map(size, before)) <= cap else cap)]
