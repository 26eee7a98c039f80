"""A share `rho` of C_0, drawn anew, and the rest of C_{n-1} (Shumailov et al. 2024)."""

from ouroboros.pipeline.regimes import Part, share

MARK = "mixed with\nreal text"
SETTINGS = {
    "rho": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.1,
            "description": "The share of real sequences; a fraction of a sequence is rounded, a half up."},
}  # fmt: skip


def parts(n, size, rho):
    """Parts of generation n's training corpus, which has as many sequences as C_{n-1}."""
    if n == 1:
        return [Part([0])]
    real = share(size(n - 1), rho)
    return [Part([0], real), Part([n - 1], size(n - 1) - real)]
