"""n_0 n^(1+s) sequences of C_{n-1}, but no more than `cap` (arXiv 2505.13947)."""

from ouroboros.errors import UserError
from ouroboros.pipeline.regimes import Part

MARK = "a growing\nnumber"
SETTINGS = {
    "s": {"type": "number", "minimum": -1, "maximum": 10, "default": 0.1,
          "description": "At -1 the number stays n_0, at 0 it is proportional to n."},
    "n_0": {"type": "integer", "minimum": 1, "default": 1000, "description": "Sequences of generation 1."},
    "cap": {"type": ["integer", "null"], "minimum": 1, "default": None,
            "description": "The most sequences; null: as many as the formula says."},
}  # fmt: skip


def check(where, lineage, settings):
    """The largest generation has to be sampled by the one before it."""
    sequences, n = lineage["sampling"]["sequences"], lineage["generations"]
    wanted = _count(n, **settings)
    if sequences != "auto" and n > 1 and wanted > sequences:
        raise UserError(
            f"{where}: generation {n} would train on {wanted} sequences, and each generation samples "
            f"{sequences}. Set `cap` to that or less, or raise `sequences` of the sampling settings."
        )


def parts(n, size, s, n_0, cap=None):
    """Parts of generation n's training corpus."""
    return [Part([n - 1], _count(n, s, n_0, cap))]


def _count(n, s, n_0, cap):
    wanted = int(n_0 * n ** (1 + s) + 1e-9)
    return wanted if cap is None else min(cap, wanted)
