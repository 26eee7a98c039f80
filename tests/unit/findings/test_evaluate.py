"""Findings of lineages that collapse as the paper's did, that do the opposite, and with gaps."""

import json

import pytest
from lineages import measured

from ouroboros.findings.evaluate import findings, findings_section
from ouroboros.findings.verdict import CONFIRMED, CONTRADICTED, OPEN


def by_id(lineages, sizes=None, setups=None):
    sizes = sizes or dict.fromkeys(lineages, 1)
    found = findings(lineages, sizes, setups or [[name] for name in lineages])
    return {finding["id"]: finding for finding in found}


def test_a_lineage_like_the_paper_s_confirms_everything():
    found = findings(
        {"1m": measured(40, 2.0), "33m": measured(40)},
        {"33m": 28_000, "1m": 400},
        [["1m"], ["33m"]],
    )
    assert {finding["id"]: finding["verdict"] for finding in found} == {
        finding["id"]: CONFIRMED for finding in found
    }
    assert found[-1]["lineages"] == ["1m", "33m"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert len({(finding["id"], *finding["lineages"]) for finding in found}) == len(found)


def test_seeds_are_tested_together():
    """Three of each size; a fourth lineage of other settings alone."""
    lineages = {f"large-s{n}": measured(20, 1 + n / 100, n) for n in range(3)}
    lineages |= {f"small-s{n}": measured(20, 2 + n / 100, n) for n in range(3)}
    lineages["other"] = measured(20)
    sizes = {name: 1 + name.startswith("large") for name in lineages}
    setups = [list(lineages)[:3], list(lineages)[3:6], ["other"]]
    found = findings(lineages, sizes, setups)
    assert {f["id"]: f["verdict"] for f in found if len(f["lineages"]) > 2} == {
        f["id"]: CONFIRMED for f in found if len(f["lineages"]) > 2
    }
    assert "### large-s0, large-s1 and large-s2\n" in findings_section(found)
    assert {tuple(f["lineages"]) for f in found} == {
        *map(tuple, setups), (*setups[1], *setups[0]), ("other", "large-s0"),
    }  # fmt: skip
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_spread_of_seeds_is_in_the_error():
    """Confirmed of each lineage, but they differ too much: of three the fall is not confirmed."""
    lineages = {str(n): measured(8) for n in range(3)}
    for lineage, end in zip(lineages.values(), (0.3, 0.3, 0.9), strict=True):
        lineage["gen8"]["classification"]["imdb"]["accuracy"] = end
    together = by_id(lineages, setups=[list(lineages)])["imdb-ends-at-baseline"]
    alone = by_id({"0": lineages["0"]})["imdb-ends-at-baseline"]
    assert (alone["verdict"], together["verdict"]) == (CONFIRMED, OPEN)


def test_two_seeds_are_tested_one_by_one():
    lineages = {"a": measured(8), "b": measured(8)}
    found = findings(lineages, {"a": 1, "b": 1}, [["a", "b"]])
    assert {tuple(finding["lineages"]) for finding in found} == {("a",), ("b",)}


def test_the_opposite_confirms_nothing():
    paper = measured(40)
    mirrored = {
        "baseline": paper["gen30"],
        **{f"gen{n}": paper[f"gen{41 - n}"] for n in range(1, 41)},
    }
    found = by_id({"x": mirrored})
    for claim in (
        "perplexity-rises", "tokens-drift", "bigrams-drift", "oov-rises", "oov-rises-on",
        "every-oov-rises", "every-oov-rises-on", "runs-grow", "rep-4-grows", "rare-tokens-are-lost",
        "grammar-falls", "consistency-falls", "consistency-falls-faster", "imdb-falls",
        "imdb-begins-above", "imdb-ends-at-baseline", "mrpc-f1-falls",
        "perplexity-ends-at-baseline", "runs-are-frequent-tokens",
    ):  # fmt: skip
        assert found[claim]["verdict"] == CONTRADICTED, claim


def test_what_is_missing_is_named():
    lineage = measured(12)
    for artifacts in lineage.values():
        artifacts.pop("gpt_eval", None)
    del lineage["gen3"]["text"], lineage["gen7"]["text"]["entropy"]
    lineage["baseline"] = {}
    found = by_id({"x": lineage})
    assert found["grammar-falls"]["verdict"] == OPEN
    assert "gpt_eval.grammar.mean of every generation" in found["grammar-falls"]["explanation"]
    assert (
        "x: no text.entropy of generations 3, 7" in found["entropy-rises-then-falls"]["explanation"]
    )
    assert "missing: ppl.loss" in found["perplexity-ends-at-baseline"]["explanation"]
    assert "missing" not in found["perplexity-rises"]["explanation"]
    assert found["imdb-falls"]["verdict"] == CONFIRMED
    nothing = by_id({"x": {}}).values()
    assert {(f["verdict"], f["p_value"]) for f in nothing} == {(OPEN, None)}


def test_generations_without_a_perplexity_are_named():
    lineage = measured(12)
    del lineage["gen4"]["ppl"]
    explanations = [found["explanation"] for found in by_id({"x": lineage}).values()]
    assert any("x: no ppl.perplexity of generations 4" in one for one in explanations)


def test_without_the_losses_of_stories_steps_are_open_and_the_remedy_is_said():
    lineage = measured(12)
    del lineage["gen5"]["ppl-stories"]
    found = by_id({"x": lineage})["perplexity-rises"]
    assert found["verdict"] == OPEN
    assert "ppl-stories.parquet" in found["explanation"]
    assert "--forcerun ppl" in found["explanation"]


def test_losses_of_other_stories_are_not_paired():
    lineage = measured(12)
    sums, tokens = lineage["gen5"]["ppl-stories"]
    lineage["gen5"]["ppl-stories"] = (sums, tokens + 1)
    found = by_id({"x": lineage})["perplexity-rises"]
    assert found["verdict"] == OPEN and "same stories" in found["explanation"]


def test_where_entropy_falls_is_open_unless_it_falls():
    """Entropy rises to the end: what happens after its fall cannot be said."""
    lineage = measured(12)
    for n in range(1, 13):
        lineage[f"gen{n}"]["text"]["entropy"] = 5 + 0.1 * min(n, 10)
    found = by_id({"x": lineage})
    for claim in ("oov-rises-on", "every-oov-rises-on", "runs-grow-behind-peak"):
        assert found[claim]["verdict"] == OPEN
        assert "fall of entropy" in found[claim]["explanation"]
    assert found["oov-rises"]["verdict"] == CONFIRMED


def test_a_gap_is_named_where_it_matters_alone():
    lineage = measured(12)
    del lineage["gen3"]["text"]["entropy"]
    found = by_id({"x": lineage})
    named = [claim for claim, f in found.items() if "no text.entropy" in f["explanation"]]
    assert named == [
        "entropy-rises-then-falls", "oov-rises-on", "every-oov-rises-on", "runs-grow-behind-peak",
    ]  # fmt: skip


def test_after_the_peak_begins_with_it():
    found = by_id({"x": measured(9)})
    for claim in ("oov-rises-on", "runs-grow-behind-peak"):
        assert found[claim]["values"]["generations"] == [4, 5, 6, 7, 8, 9]


def test_guessers_guess():
    """Of 277 examples 52.7% are of the majority class; forty LMs that always say it are no better."""
    lineage = measured(40)
    for n in range(1, 41):
        lineage[f"gen{n}"]["classification"]["rte"] |= {"accuracy": 0.527, "standard_error": 0.03}
    assert by_id({"x": lineage})["rte-guesses"]["verdict"] == CONFIRMED
    lineage["gen9"]["classification"]["rte"] |= {"accuracy": 0.66, "standard_error": 0.0285}
    assert by_id({"x": lineage})["rte-guesses"]["verdict"] == CONTRADICTED


def test_an_lm_is_not_better_than_itself():
    """Fine-tuned twice, its accuracies differ by two deviations of a seed's: that says nothing."""
    lineage = measured(1)
    for lm, accuracy in (("gen1", 0.62), ("baseline", 0.60)):
        lineage[lm]["classification"]["imdb"] |= {"accuracy": accuracy, "standard_error": 0.0031}
    assert by_id({"x": lineage})["imdb-begins-above"]["verdict"] == OPEN
    for lm in ("gen1", "baseline"):  # of several seeds, whose spread is in their own errors
        lineage[lm]["classification"]["imdb"]["seeds"] = 9
    assert by_id({"x": lineage})["imdb-begins-above"]["verdict"] == CONFIRMED


@pytest.mark.parametrize(
    ("high", "verdict"),
    [
        ([5, 6] * 22, CONFIRMED),
        ([8, 7] * 22, CONTRADICTED),
        ([1, 2] * 22, CONTRADICTED),
        ([3, 8], OPEN),  # two beginnings are too few
    ],
)
def test_about_half_of_the_baseline_s_completions_are_graded_high(high, verdict):
    """`high`: of the ten completions of each beginning; one more could not be read."""
    lineage = measured(1)
    lineage["baseline"]["gpt_eval"]["grades"] = [
        [{"grammar": 5}] * count + [{"grammar": 4}] * (10 - count) + [None] for count in high
    ]
    assert by_id({"x": lineage})["baseline-half-high"]["verdict"] == verdict


def test_sizes_decide_which_lineages_are_compared():
    small, large = measured(12, 2.0), measured(12)
    lineages = {"accumulate": large, "small": small, "large": large}
    sizes = {"accumulate": 9, "small": 1, "large": 9}
    found = findings(lineages, sizes, [[name] for name in lineages])
    pairs = {tuple(f["lineages"]) for f in found if len(f["lineages"]) == 2}
    assert pairs == {("small", "accumulate"), ("small", "large")}
    other = by_id({"large": small, "small": large}, {"small": 1, "large": 9})
    for claim in ("larger-is-lower", "smaller-rises-faster"):
        assert other[claim]["verdict"] == CONTRADICTED


def test_the_section_shows_every_tested_finding_and_names_the_rest():
    lineage = measured(12)
    for artifacts in lineage.values():
        artifacts.pop("classification", None)
    found = findings({"x": lineage}, {"x": 1}, [["x"]])
    section = findings_section(found)
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == sum(f["p_value"] is not None for f in found)
    # five cells, and no bar inside one
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)
    assert "oov_words from 100 (gen1) to 1200 (gen12)" in section
    assert "classification.rte.accuracy of every generation" in section


def test_seeds_without_a_generation_in_common_are_open():
    lineages = {str(n): measured(2, seed=n) for n in range(3)}
    for name, lost in (("0", "gen1"), ("1", "gen2")):
        for metric in ("text", "ppl", "classification", "gpt_eval"):
            del lineages[name][lost][metric]
    found = by_id(lineages, setups=[list(lineages)])
    for claim in ("entropy-rises-then-falls", "oov-rises-on", "perplexity-rises", "cola-no-better"):
        assert found[claim]["verdict"] == OPEN and "missing" in found[claim]["explanation"]
