"""`n_real` sequences of C_0 and `n_generated` of C_{n-1}, drawn anew (Kazdan et al. 2024)."""

from ouroboros.errors import UserError
from ouroboros.pipeline.regimes import Part

MARK = "mixed with\nreal text"
SETTINGS = {
    "n_real": {"type": "integer", "minimum": 0, "default": 1000, "description": "Real sequences."},
    "n_generated": {"type": "integer", "minimum": 0, "default": 1000, "description": "Sampled sequences."},
}  # fmt: skip


def check(where, lineage, settings):
    """Something has to be left to train on."""
    if settings["n_real"] + settings["n_generated"] == 0:
        raise UserError(f"{where}: n_real and n_generated are both 0: nothing is left to train on.")


def parts(n, size, n_real, n_generated):
    """Parts of generation n's training corpus."""
    if n == 1:
        return [Part([0])]
    return [Part([0], n_real), Part([n - 1], n_generated)]
