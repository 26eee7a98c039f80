"""Verdicts on claims, and the outcome of a test that gives one."""

CONFIRMED, CONTRADICTED, OPEN = "confirmed", "contradicted", "not enough data"
# of definitions of collapse (profile.py)
HOLDS, FAILS, UNDECIDED, UNMEASURED = "holds", "does not hold", "open", "not measured"
LEVEL = 0.05  # of significance, of either verdict
SEEDS = 3  # lineages that differ by their seeds, from which on they are tested together


def verdict(confirms: float, contradicts: float) -> str:
    """The verdict of the p-values of two one-sided tests."""
    if confirms < LEVEL:
        return CONFIRMED
    return CONTRADICTED if contradicts < LEVEL else OPEN


def outcome(statistic, values, p_value, verdict, explanation) -> dict:
    """The outcome of a test, as findings.json holds it.

    `statistic`: the test's name. `values`: its data and results. `p_value`: of the confirming test;
    None if nothing was tested. `explanation`: the numbers in a sentence.
    """
    return {
        "statistic": statistic, "values": values, "p_value": p_value, "verdict": verdict,
        "explanation": explanation,
    }  # fmt: skip
