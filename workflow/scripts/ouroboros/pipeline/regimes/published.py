"""All of C_{n-1}, with the quirks of the authors' published code (wanglc02/generated-data)."""

from ouroboros.pipeline.regimes import Part

# The closed list: sampling starts from token 0, which later tokens do not see; a row ends at its first
# end-of-text, and is padded with it; end-of-text is hidden from the loss of what trains on such a corpus.
QUIRKS = True


def parts(n, size):
    """Parts of generation n's training corpus."""
    return [Part([n - 1])]
