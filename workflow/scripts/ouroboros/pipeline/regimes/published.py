"""All of C_{n-1}, with the quirks of the authors' published code (wanglc02/generated-data)."""

from ouroboros.config.families import is_counted
from ouroboros.errors import UserError
from ouroboros.pipeline.regimes import Part

# The closed list: sampling starts from token 0, which later tokens do not see; a row ends at its first
# end-of-text, and is padded with it; end-of-text is hidden from the loss of what trains on such a corpus.
QUIRKS = True


def check(where, lineage, settings):
    """A mask, positions and a loss are a network's."""
    if is_counted(lineage["model"]):
        raise UserError(
            f"{where}: the quirks of the authors' code are those of its GPT-Neo; a model of the family "
            f"{lineage['model']['family']} has neither mask nor loss. Use the regime replace."
        )


def parts(n, size):
    """Parts of generation n's training corpus."""
    return [Part([n - 1])]
