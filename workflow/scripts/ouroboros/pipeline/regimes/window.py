"""All of the last `k` corpora, C_{n-k} to C_{n-1}, those that exist."""

from ouroboros.pipeline.regimes import Part

MARK = "with some\nbefore it"
SETTINGS = {
    "k": {"type": "integer", "minimum": 1, "default": 2, "description": "Corpora."},
}


def parts(n, size, k):
    """Parts of generation n's training corpus."""
    return [Part(list(range(max(0, n - k), n)))]
