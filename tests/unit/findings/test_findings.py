"""Findings: statistics against scipy and by counting, verdicts on lineages with known trends."""

import json
from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy import stats

from ouroboros.findings.evaluate import findings, findings_section
from ouroboros.findings.level_tests import ends_no_better, never_better
from ouroboros.findings.results import Lineage
from ouroboros.findings.statistics import (
    critical,
    mann_kendall,
    null_deviation,
    sen_slope,
    sign_test,
)
from ouroboros.findings.trend_tests import above, rises_always, rises_then_falls, stays, trend
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN, Series

NOISE = np.random.default_rng(5).normal(size=60).tolist()


def series(values, errors=None, first=1):
    generations = list(range(first, first + len(values)))
    return Series("x", generations, list(values), errors and [errors] * len(values))


@pytest.mark.parametrize("n", [2, 3, 5, 10, 40])
def test_mann_kendall_against_scipy_exact(n):
    expected = stats.kendalltau(range(n), NOISE[:n], method="exact")
    found = mann_kendall(NOISE[:n])
    assert found.tau == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_mann_kendall_against_scipy_for_many_with_ties():
    values = [round(2 * x) for x in NOISE]
    expected = stats.kendalltau(range(60), values, method="asymptotic")
    found = mann_kendall(values)
    assert found.tau == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_mann_kendall_with_ties_against_counting_all_orders():
    for values in product(range(3), repeat=5):
        orders = [
            sum((b > a) - (b < a) for a, b in combinations(order, 2))
            for order in permutations(values)
        ]
        found = mann_kendall(list(values))
        expected = np.mean(np.abs(orders) >= abs(found.s))
        assert found.p_value == pytest.approx(expected)


def test_three_points_cannot_be_significant_five_can():
    assert mann_kendall([1, 2, 3]).p_value == pytest.approx(1 / 3)
    assert mann_kendall([1, 2, 3, 4, 5]).p_value == pytest.approx(2 / 120)
    assert [mann_kendall(values).p_value for values in ([], [1], [4, 4, 4])] == [1, 1, 1]


def test_sen_slope_and_sign_test_against_scipy():
    times = [1, 6, 11, 16, 21]
    assert sen_slope(times, NOISE[:5]) == pytest.approx(stats.theilslopes(NOISE[:5], times).slope)
    for positive, negative in ((0, 0), (3, 0), (7, 1), (2, 5)):
        n = positive + negative
        expected = stats.binomtest(positive, n).pvalue if n else 1
        assert sign_test(positive, negative) == pytest.approx(expected)


def test_critical_and_null_deviation():
    assert critical(0.05, 4) == pytest.approx(stats.norm.isf(0.0125))
    taus = [mann_kendall(list(order)).tau for order in permutations(range(6))]
    assert null_deviation(6) == pytest.approx(np.std(taus))


@pytest.mark.parametrize(
    ("values", "up", "down"),
    [
        (range(5), CONFIRMED, CONTRADICTED),
        (range(4), OPEN, OPEN),
        (range(3), OPEN, OPEN),
        ([], OPEN, OPEN),
        ([0, 1] * 4, OPEN, OPEN),  # no trend, but eight could hide one
        ([0, 1, 1, 0] * 10, CONTRADICTED, CONTRADICTED),  # forty without a trend
    ],
)
def test_trend(values, up, down):
    assert trend(series(values), 1)["verdict"] == up
    assert trend(series(values), -1)["verdict"] == down


def test_a_significant_fall_contradicts_a_monotonous_rise():
    values = [1, 2, 3, 4, 3.9, 6, 7, 8]
    assert rises_always(series(values, 0.1))["verdict"] == CONFIRMED
    judged = rises_always(series(values, 0.01))
    assert judged["verdict"] == CONTRADICTED
    assert (judged["values"]["falls"], judged["values"]["significant_falls"]) == (1, 1)
    # two standard errors of the difference: with seven steps that is nothing
    assert rises_always(series(values, 0.1 / 8**0.5))["verdict"] == CONFIRMED
    assert rises_always(series(values))["values"]["significant_falls"] == 0
    assert rises_always(series([1, 2, 3], 0.01))["verdict"] == OPEN


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([*range(25), *range(23, 8, -1)], CONFIRMED),  # the paper's figure 2
        ([*range(6), *range(4, -1, -1)], CONFIRMED),
        ([*range(6), 4, 3, 2, 1], OPEN),  # four behind the peak are too few
        ([*range(5), *range(3, -2, -1)], OPEN),  # four before it; the peak counts on no side
        ([*range(39)], OPEN),  # may still fall
        ([*range(40)], CONTRADICTED),
        ([*range(8, 0, -1)], CONTRADICTED),  # falls from the beginning
        ([3, 2, 1], OPEN),
        ([*range(20), 99, *[5, 6, 6, 5] * 4], CONTRADICTED),  # no fall behind the peak
    ],
)
def test_rises_then_falls(values, verdict):
    assert rises_then_falls(series(values), 40)["verdict"] == verdict


def test_stays():
    assert stays(series([0, 1, 1, 0] * 5))["verdict"] == CONFIRMED
    assert stays(series(range(20)))["verdict"] == CONTRADICTED
    assert stays(series(range(20, 0, -1)))["verdict"] == CONTRADICTED
    assert stays(series(range(20, 0, -1)), may_fall=True)["verdict"] == CONFIRMED
    assert stays(series([1, 1, 1]))["verdict"] == OPEN


def test_above():
    assert above(series([1] * 6))["verdict"] == CONFIRMED
    assert above(series([1] * 5))["verdict"] == OPEN
    assert above(series([1] * 6), level=2)["verdict"] == CONTRADICTED
    assert above(series([1] * 20 + [-0.1], 0.1))["verdict"] == CONFIRMED
    assert above(series([1] * 20 + [-0.1], 0.01))["verdict"] == CONTRADICTED


def test_ends_no_better():
    def verdict(value, generation, error=0.01):
        last = series([value], error, first=generation)
        return ends_no_better(last, series([0.5], error), 0.05, 40)["verdict"]

    assert verdict(0.50, 8) == CONFIRMED
    assert verdict(0.60, 8) == OPEN  # better, and may still fall
    assert verdict(0.60, 40) == CONTRADICTED
    assert verdict(0.52, 40, error=0.1) == OPEN  # too rough to tell


def test_never_better():
    def verdict(values, error):
        return never_better(series(values, error), 0.5, 0.0, 0.05)["verdict"]

    assert verdict([0.5, 0.51, 0.49], 0.01) == CONFIRMED
    assert verdict([0.5, 0.55, 0.49], 0.01) == CONTRADICTED
    # 0.523 is 2.3 standard errors above: with 40 looks that is nothing
    assert verdict([0.523] + [0.5] * 39, 0.01) == CONFIRMED
    assert verdict([0.523], 0.01) == CONTRADICTED
    assert verdict([0.5], 0.05) == OPEN


def measured(generations, slope=1.0):
    """A lineage that collapses as the paper's did: every statement of the paper is true of it."""
    peak = generations // 2

    def lm(n):
        wave = (0.001, 0.002, 0.002, 0.001)[n % 4]
        tasks = {
            task: {
                "accuracy": 0.8 - 0.01 * n,
                "standard_error": 0.005,
                "weighted_f1": 0.8 - 0.01 * n,
            }
            for task in ("imdb", "sst2", "yelp", "qqp", "qnli")
        }
        for task, level in (("mrpc", 0.68), ("rte", 0.5), ("cola", 0.69)):
            tasks[task] = {
                "accuracy": level + wave, "standard_error": 0.01, "weighted_f1": 0.6 - 0.01 * n,
            }  # fmt: skip
        return {
            "ppl": {"perplexity": 4 + slope * n, "loss": float(n), "standard_error": 0.01},
            "text": {
                "entropy": 5 + 0.1 * min(n, 2 * peak - n), "oov_words": 100 * n,
                "run_share": 0.01 * n, "rep_4": 0.01 * n, "run_head_share": 0.8,
                "unigram_divergence": {"lost": 0.1 * n}, "bigram_divergence": {"lost": 0.2 * n},
                "tail": {"surviving": 1 - 0.01 * n},
            },
            "gpt_eval": {
                "grammar": {"mean": 7 - 0.05 * n, "standard_error": 0.05},
                "consistency": {"mean": 7 - 0.1 * n, "standard_error": 0.05},
            },
            "classification": tasks,
        }  # fmt: skip

    baseline = lm(10)
    baseline["ppl"] = {"perplexity": 50.0, "loss": float(generations - 1), "standard_error": 0.01}
    return {"baseline": baseline, **{f"gen{n}": lm(n) for n in range(1, generations + 1)}}


def test_a_lineage_like_the_paper_s_confirms_everything():
    found = findings({"1m": measured(40, 2.0), "33m": measured(40)}, {"33m": 28_000, "1m": 400})
    assert {finding["id"]: finding["verdict"] for finding in found} == {
        finding["id"]: CONFIRMED for finding in found
    }
    assert found[-1]["lineages"] == ["1m", "33m"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert len({(finding["id"], *finding["lineages"]) for finding in found}) == len(found)


def test_the_opposite_confirms_nothing():
    paper = measured(40)
    mirrored = {
        "baseline": measured(40)["gen30"],
        **{f"gen{n}": paper[f"gen{41 - n}"] for n in range(1, 41)},
    }
    verdicts = {f["id"]: f["verdict"] for f in findings({"x": mirrored}, {"x": 1})}
    for statement in (
        "perplexity-rises", "tokens-drift", "bigrams-drift", "oov-rises", "oov-rises-on",
        "runs-grow", "rep-4-grows", "rare-tokens-are-lost", "grammar-falls", "consistency-falls",
        "consistency-falls-faster", "imdb-falls", "imdb-begins-above", "imdb-ends-at-baseline",
        "mrpc-f1-falls", "perplexity-ends-at-baseline",
    ):  # fmt: skip
        assert verdicts[statement] == CONTRADICTED, statement


def test_no_trend_is_found_in_three_generations():
    found = findings({"a": measured(3), "b": measured(3, 2.0)}, {"a": 2, "b": 1})
    tests = ("Mann-Kendall", "sign test")
    of_trends = [finding for finding in found if finding["statistic"].startswith(tests)]
    assert len(of_trends) > 40
    assert {finding["verdict"] for finding in of_trends} == {OPEN}


def test_what_is_missing_is_named():
    lineage = measured(12)
    for artifacts in lineage.values():
        del artifacts["gpt_eval"]
    del lineage["gen3"]["text"], lineage["gen7"]["text"]["entropy"]
    lineage["baseline"] = {}
    found = {f["id"]: f for f in findings({"x": lineage}, {"x": 1})}
    assert found["grammar-falls"]["verdict"] == OPEN
    assert "gpt_eval.grammar.mean of every generation" in found["grammar-falls"]["explanation"]
    assert (
        "x: no text.entropy of generations 3, 7" in found["entropy-rises-then-falls"]["explanation"]
    )
    assert "missing: ppl.loss" in found["perplexity-ends-at-baseline"]["explanation"]
    assert "missing" not in found["perplexity-rises"]["explanation"]
    assert found["imdb-falls"]["verdict"] == CONFIRMED
    nothing = findings({"x": {}}, {"x": 1})
    assert {(f["verdict"], f["p_value"]) for f in nothing} == {(OPEN, None)}


def test_a_gap_is_named_where_it_matters_alone():
    lineage = measured(12)
    del lineage["gen3"]["text"]["entropy"]
    found = findings({"x": lineage}, {"x": 1})
    named = [f["id"] for f in found if "no text.entropy" in f["explanation"]]
    assert named == ["entropy-rises-then-falls", "oov-rises-on", "runs-grow-behind-peak"]


def test_behind_the_peak_begins_with_it():
    found = {f["id"]: f for f in findings({"x": measured(9)}, {"x": 1})}
    for statement in ("oov-rises-on", "runs-grow-behind-peak"):
        assert found[statement]["values"]["generations"] == [4, 5, 6, 7, 8, 9]


def test_the_error_of_perplexity_is_that_of_the_loss_times_perplexity():
    assert Lineage(measured(2)).perplexity().errors == pytest.approx([5 * 0.01, 6 * 0.01])


def test_sizes_decide_which_lineages_are_compared():
    small, large = measured(12, 2.0), measured(12)
    lineages = {"accumulate": large, "small": small, "large": large}
    found = findings(lineages, {"accumulate": 9, "small": 1, "large": 9})
    pairs = {tuple(f["lineages"]) for f in found if len(f["lineages"]) == 2}
    assert pairs == {("small", "accumulate"), ("small", "large")}
    other = findings({"large": small, "small": large}, {"small": 1, "large": 9})[-2:]
    assert [f["verdict"] for f in other] == [CONTRADICTED, CONTRADICTED]


def test_the_section_shows_every_tested_finding_and_names_the_rest():
    lineage = measured(12)
    lineage["gen1"]["ppl"]["perplexity"] = 1.5
    for artifacts in lineage.values():
        del artifacts["classification"]
    found = findings({"x": lineage}, {"x": 1})
    section = findings_section(found)
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == sum(f["p_value"] is not None for f in found)
    # five cells, and no bar inside one
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)
    assert "perplexity from 1.5 (gen1) to 16 (gen12)" in section
    assert "classification.rte.accuracy of every generation" in section
