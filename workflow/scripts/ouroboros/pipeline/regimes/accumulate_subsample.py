"""As many sequences as C_{n-1} has, drawn anew from C_0 to C_{n-1} together (Kazdan et al. 2024)."""

from ouroboros.pipeline.regimes import Part

MARK = "with all before\nit, subsampled"


def parts(n, size):
    """Parts of generation n's training corpus."""
    return [Part(list(range(n)), size(n - 1) if n > 1 else None)]
