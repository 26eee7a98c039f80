"""All of C_{n-1} (the paper)."""

from ouroboros.pipeline.regimes import Part


def parts(n, size):
    """Parts of generation n's training corpus."""
    return [Part([n - 1])]
