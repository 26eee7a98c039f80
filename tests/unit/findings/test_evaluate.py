"""Findings of lineages that collapse as the paper's did, that do the opposite, and with gaps."""

import json

from lineages import measured

from ouroboros.findings.evaluate import findings, findings_section
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN


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
    for claim in (
        "perplexity-rises", "tokens-drift", "bigrams-drift", "oov-rises", "oov-rises-on",
        "runs-grow", "rep-4-grows", "rare-tokens-are-lost", "grammar-falls", "consistency-falls",
        "consistency-falls-faster", "imdb-falls", "imdb-begins-above", "imdb-ends-at-baseline",
        "mrpc-f1-falls", "perplexity-ends-at-baseline",
    ):  # fmt: skip
        assert verdicts[claim] == CONTRADICTED, claim


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


def test_after_the_peak_begins_with_it():
    found = {f["id"]: f for f in findings({"x": measured(9)}, {"x": 1})}
    for claim in ("oov-rises-on", "runs-grow-behind-peak"):
        assert found[claim]["values"]["generations"] == [4, 5, 6, 7, 8, 9]


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
