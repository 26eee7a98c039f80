"""Half of C_{n-1}'s number of it, half of C_1 to C_{n-2}, and `alpha` of it real (Drayson et al. 2025)."""

from ouroboros.errors import UserError
from ouroboros.pipeline.regimes import Part, share

MARK = "mixed with\nall before it"
SETTINGS = {
    "alpha": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.1,
              "description": "Real sequences of C_0, drawn anew, as a share of C_{n-1}'s number; they come on top."},
}  # fmt: skip


def check(where, lineage, settings):
    """With one generation there is no history."""
    if lineage["generations"] == 1:
        raise UserError(
            f"{where}: history begins with generation 2, and this lineage has 1. Raise `generations`, or "
            "use the regime replace."
        )


def parts(n, size, alpha):
    """Parts of generation n's training corpus."""
    if n == 1:
        return [Part([0])]
    whole = size(n - 1)
    real = [Part([0], share(whole, alpha))]
    if n == 2:
        return [*real, Part([1])]
    return [*real, Part(list(range(1, n - 1)), whole // 2), Part([n - 1], whole - whole // 2)]
