"""Verdicts on claims, and the outcome of a test that gives one."""

CONFIRMED, CONTRADICTED, OPEN = "confirmed", "contradicted", "not enough data"
LEVEL = 0.05  # of significance


def outcome(statistic, values, p_value, verdict, explanation) -> dict:
    """The outcome of a test, as findings.json holds it.

    `statistic`: the test's name. `values`: its data and results. `p_value`: None if nothing was
    tested. `explanation`: the numbers in a sentence.
    """
    return {
        "statistic": statistic, "values": values, "p_value": p_value, "verdict": verdict,
        "explanation": explanation,
    }  # fmt: skip
