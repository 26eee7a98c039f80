"""The corpus of generation n-1 alone (the paper)."""


def sources(n: int) -> list[int]:
    """Generations that generation n trains on."""
    return [n - 1]
