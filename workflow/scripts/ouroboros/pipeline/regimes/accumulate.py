"""The corpora of all generations before it, the initial corpus among them (Gerstgrasser et al. 2024)."""

MARK = "with all\nbefore it"


def sources(n: int) -> list[int]:
    """Generations that generation n trains on."""
    return list(range(n))
