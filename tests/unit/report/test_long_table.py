"""The long table of a group's measurements, and what differs between its lineages."""

import pandas as pd
import pytest

from ouroboros.errors import UserError
from ouroboros.pipeline.reports import differences
from ouroboros.report.drawing.generations import means_over_seeds
from ouroboros.report.drawing.of_table import one_metric
from ouroboros.report.long_table import COLUMNS, long_table
from ouroboros.report.tables import definitions, side_by_side

SETTINGS = {
    "a": {"seed": 1, "model": {"layers": 2}, "regime": "replace", "tasks": ["x", "y"]},
    "b": {"seed": 2, "model": {"layers": 3}, "regime": "mix", "regime_settings": {"rho": 0.1}, "tasks": ["x"]},
}  # fmt: skip


def ppl(value):
    return {"ppl": {"perplexity": value, "standard_error": 0.1, "tokens": 900}}


MEASURED = {
    "a": {
        "gen1": ppl(2.0) | {"classification": {"rte": {"accuracy": 0.6, "weighted_f1": 0.5, "standard_error": 0.03, "examples": 277}}},
        "baseline": ppl(50.0),
        "gen0": {"text": {"entropy": 5.0, "entropy_error": 0.01, "tokens": 70, "tail": {"surviving": 1.0}}},
        "gen2": ppl(3.0),
        "gen10": ppl(8.0),
    },
    "b": {"gen1": ppl(2.0), "gen2": ppl(2.5)},
}  # fmt: skip


def test_only_what_differs_is_a_column():
    assert differences(SETTINGS) == {
        "a": {"model.layers": 2, "regime": "replace", "tasks": "['x', 'y']", "regime_settings.rho": None},
        "b": {"model.layers": 3, "regime": "mix", "tasks": "['x']", "regime_settings.rho": 0.1},
    }  # fmt: skip
    assert differences({"a": SETTINGS["a"]}) == {"a": {}}


def test_a_row_for_each_number():
    differing = differences(SETTINGS).items()
    table = long_table(
        MEASURED, {name: {"seed": SETTINGS[name]["seed"], **of} for name, of in differing}
    )
    assert tuple(table.columns[:7]) == COLUMNS
    assert set(table.columns[7:]) == {"model.layers", "regime", "tasks", "regime_settings.rho"}

    def rows(lineage, metric):
        return table[(table["lineage"] == lineage) & (table["metric"] == metric)]

    perplexities = rows("a", "ppl.perplexity")
    assert perplexities["generation"].isna().tolist() == [True, False, False, False]  # the baseline
    assert perplexities["generation"].dropna().tolist() == [1, 2, 10]
    assert perplexities["value"].tolist() == [50, 2, 3, 8]
    assert perplexities["standard_error"].tolist() == pytest.approx([5, 0.2, 0.3, 0.8])
    assert set(perplexities["count"]) == {900} and set(perplexities["seed"]) == {1}
    accuracy = rows("a", "classification.rte.accuracy").iloc[0]
    assert (accuracy["value"], accuracy["count"], accuracy["model.layers"]) == (0.6, 277, 2)
    assert accuracy["standard_error"] == pytest.approx((0.03**2 + 0.01**2) ** 0.5)
    assert rows("a", "text.tail.surviving").iloc[0]["generation"] == 0
    assert rows("b", "ppl.perplexity")["regime_settings.rho"].tolist() == [0.1, 0.1]


def test_side_by_side():
    table = side_by_side(MEASURED, differences(SETTINGS))
    assert [name for name, _ in table.head][:2] == ["lineage", "model.layers"]
    by_name = {row[0]: row for row in table.rows}
    assert by_name["a"][-5:] == ["2.00", "8.00", "2", "10", "10"]
    assert by_name["b"][-5:] == ["2.00", "2.50", "-", "-", "-"]
    assert by_name["a"][4] == ""  # it has no rho


def test_seeds_are_drawn_as_their_mean():
    rows = pd.DataFrame(
        {
            "lineage": ["m-s1", "m-s1", "m-s2", "m-s2", "one"],
            "generation": [1, 2, 1, 2, 1],
            "value": [2.0, 4.0, 4.0, 8.0, 7.0],
            "error": 0.5,
        }
    )
    drawn = means_over_seeds(rows, [["m-s1", "m-s2"], ["one"]]).set_index(["lineage", "generation"])
    assert drawn.loc[("m", 1)].tolist() == [3.0, pytest.approx(2**0.5)]
    assert drawn.loc[("m", 2)].tolist() == [6.0, pytest.approx(8**0.5)]
    assert drawn.loc[("one", 1)].tolist() == [7.0, 0.5]


def test_a_figure_is_drawn_from_the_table_alone(tmp_path):
    seeds = {"m-s1": 1.0, "m-s2": 3.0, "one": 5.0}
    measured = {
        name: {"gen0": {"text": {"entropy": 4.0, "entropy_error": 0.1, "tokens": 9}}}
        | {f"gen{n}": {"text": {"entropy": value + n, "entropy_error": 0.1, "tokens": 9}} for n in (1, 2)}
        for name, value in seeds.items()
    }  # fmt: skip
    table = long_table(measured, {name: {"seed": 1} for name in seeds})
    table.to_csv(tmp_path / "results.csv", index=False)
    rows, label, references = one_metric(pd.read_csv(tmp_path / "results.csv"), "text.entropy")
    rows = rows.set_index(["lineage", "generation"])
    assert rows.loc[("m", 2)].tolist() == [4.0, pytest.approx(2**0.5)]
    assert rows.loc[("one", 2)].tolist() == [7.0, 0.1]
    assert references == {"initial corpus": 4.0} and label.startswith("Entropy")
    with pytest.raises(UserError, match=r"no metric ppl.*It has .*text\.entropy"):
        one_metric(table, "ppl.perplexity")


def test_which_definitions_hold_has_a_row_for_each_lineage():
    def verdict(name, lineages, found):
        return {
            "id": name,
            "lineages": lineages,
            "definition": f"{name} rises: by 2",
            "verdict": found,
        }

    table = definitions([
        verdict("risk", ["a"], "holds"), verdict("tails", ["a"], "open"), verdict("tails", ["b"], "does not hold"),
        verdict("scaling", ["a", "b"], "not measured"),
    ])  # fmt: skip
    assert table.head == [("lineage", ""), ("risk", "risk rises"), ("tails", "tails rises")]
    assert table.rows == [["a", "holds", "open"], ["b", "", "does not hold"]]
