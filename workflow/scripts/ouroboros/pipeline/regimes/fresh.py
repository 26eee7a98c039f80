"""A share `rho` of real text never used before, and the rest of C_{n-1} (Alemohammad et al. 2024)."""

from ouroboros.errors import UserError
from ouroboros.pipeline.regimes import RESERVE, Part, share

MARK = "mixed with\nfresh real text"
SETTINGS = {
    "rho": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.1,
            "description": "The share of fresh sequences; at 1 the control, which trains on real text alone."},
}  # fmt: skip


def check(where, lineage, settings):
    """There has to be text beyond C_0."""
    if lineage["initial_sequences"] is None:
        raise UserError(
            f"{where}: fresh needs real text beyond the initial corpus. Set `initial_sequences` of the "
            "lineage to the sequences that generation 1 trains on; the rest of the corpus is fresh."
        )


def parts(n, size, rho):
    """Parts of generation n's training corpus, which has as many sequences as C_{n-1}."""
    if n == 1:
        return [Part([0])]
    real = share(size(n - 1), rho)
    return [Part([RESERVE], real, start=(n - 2) * real), Part([n - 1], size(n - 1) - real)]
