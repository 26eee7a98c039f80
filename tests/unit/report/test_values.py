"""Values that figures show under the pointer."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from ouroboros.metrics.ppl.loss_distribution import loss_histogram
from ouroboros.pipeline.declarations import figures
from ouroboros.report.drawing.generations import draw_by_generation
from ouroboros.report.drawing.losses import draw_losses
from ouroboros.report.drawing.values import value_in_words
from ouroboros.storage.atomic import write_json

SVG = "{http://www.w3.org/2000/svg}"


def areas(path):
    """The titles in a picture, by the kind of area; and whose they are: (series, generation)."""
    found = {}
    for link in ElementTree.parse(path).iter(f"{SVG}a"):
        title, area = link
        whose = link.get("data-series"), link.get("data-generation")
        found.setdefault(area.tag.removeprefix(SVG), []).append((title.text, whose))
    return found


def artifacts(folder, name, **by_generation):
    """JSON files of the generations 0, 1, ...: each value is a list with an entry for each of them."""
    paths = []
    for n, values in enumerate(zip(*by_generation.values(), strict=True)):
        made = dict(zip(by_generation, values, strict=True))
        where = {"lineage": "33m", "generation": n, "task": "sst2", "lm": f"gen{n}"}
        paths.append(folder / f"{name}-{n}.json")
        write_json(paths[-1], {**made, "provenance": where})
    return paths


def drawn(folder, name, files, settings=None):
    """The areas of one of the report's figures of 33m."""
    figures()[name].draw(files, settings or {}, "33m", [folder / f"{name}.svg"])
    return areas(folder / f"{name}.svg")


def test_values_have_two_digits_of_their_error_or_four_or_are_counts():
    assert value_in_words(32.0812, 0.4961) == "32.08 ± 0.50"
    assert value_in_words(1041.22, 15.4) == "1,041 ± 15"
    assert value_in_words(5.65049) == "5.650" and value_in_words(0.00012345) == "0.0001234"
    assert value_in_words(1234567.8, 0.0) == "1,234,568" and value_in_words(12345) == "12,345"
    assert value_in_words(0.0) == "0" and value_in_words(0.5, math.nan) == "0.5000"


def test_perplexity_says_each_point_with_its_error_and_the_floor(tmp_path):
    ppl = artifacts(
        tmp_path, "ppl", perplexity=[9.0, 20.0, 30.0], standard_error=[0.1, 0.025, None]
    )
    write_json(tmp_path / "tokens.json", {"validation": {"floor": 1.3281}})
    files = {"ppl": ppl[1:], "tokens": [tmp_path / "tokens.json"]}
    assert drawn(tmp_path, "perplexity", files, {"lineages": ["33m"]}) == {
        "polyline": [("floor of the corpus (1.33): 1.328", (None, None))],
        "circle": [
            ("33m, generation 1: 20.00 ± 0.50", ("33m", "1")),
            ("33m, generation 2: 30", ("33m", "2")),
        ],
    }


def test_entropy_says_its_points_and_both_kinds_of_bars(tmp_path):
    text = artifacts(
        tmp_path, "text", entropy=[5.0, 5.1234, 4.9], oov_words=[1, 8, 12345],
        entropy_error=[0.01, 0.02, 0.03],
    )  # fmt: skip
    found = drawn(
        tmp_path, "entropy", {"text": text, "oov": artifacts(tmp_path, "oov", oov_words=[2, 0, 70])}
    )
    assert [said for said, _ in found["circle"]] == [
        "33m, Entropy, generation 1: 5.123 ± 0.020", "33m, Entropy, generation 2: 4.900 ± 0.030",
    ]  # fmt: skip
    assert found["rect"] == [
        ("All OOV words, generation 1: 0", ("All OOV words", "1")),
        ("All OOV words, generation 2: 70", ("All OOV words", "2")),
        ("OOV words, generation 1: 8", ("OOV words", "1")),
        ("OOV words, generation 2: 12,345", ("OOV words", "2")),
    ]
    assert found["polyline"] == [("33m, Entropy of the initial corpus: 5", (None, None))]
    heights = re.findall(
        r'<rect [^>]*height="([\d.]+)"/></a>', (tmp_path / "entropy.svg").read_text()
    )
    assert float(heights[0]) == 6.0  # a bar of nothing can be pointed at


@pytest.mark.parametrize(
    "name, label, error",
    [("accuracy", "Accuracy", " ± 0.032"), ("weighted_f1", "Weighted F1", "0")],
)
def test_scores_say_panel_and_score(tmp_path, name, label, error):
    scored = artifacts(
        tmp_path, "sst2", accuracy=[0.9, 0.8], weighted_f1=[0.85, 0.75], standard_error=[0.03, 0.03],
        majority=[{"accuracy": 0.5, "weighted_f1": 0.3}] * 2,
    )  # fmt: skip
    found = drawn(tmp_path, name, {"classification": scored})
    value = {"accuracy": "0.800", "weighted_f1": "0.750"}[name] + error
    assert found["circle"] == [(f"SST-2, {label}, generation 1: {value}", (label, "1"))]
    assert [said.split(": ")[0] for said, _ in found["polyline"]] == [
        "SST-2, baseline", "SST-2, always the most frequent class",
    ]  # fmt: skip


def test_grades_say_theirs_and_a_grade_that_is_not_there_says_nothing(tmp_path):
    score = {"mean": 7.0, "standard_error": 0.25}
    none = {"mean": None, "standard_error": None}
    graded = artifacts(tmp_path, "gpt", grammar=[none, score], consistency=[none, none])
    found = drawn(tmp_path, "gpt_eval", {"gpt_eval": graded}, {"judge": {"model": "j"}})
    assert [said for said, _ in found["circle"]] == [
        "Grammar, Score (0 to 9), generation 1: 7.00 ± 0.25"
    ]


def test_lines_of_losses_say_whose_they_are(tmp_path):
    histograms = {
        lm: loss_histogram(np.linspace(0.1, n, 50)) for n, lm in enumerate(("baseline", "gen1", "gen2"), 5)
    }  # fmt: skip
    draw_losses(histograms, "33m", [tmp_path / "losses.svg"])
    assert areas(tmp_path / "losses.svg") == {
        "polyline": [
            ("generation 1", ("generation 1", "1")), ("generation 2", ("generation 2", "2")),
            ("baseline", (None, None)),
        ]
    }  # fmt: skip


def test_a_new_figure_needs_to_declare_nothing_and_markup_in_names_stays_text(tmp_path):
    import matplotlib.pyplot as plt

    from ouroboros.report.drawing import save

    figure, axes = plt.subplots()
    axes.plot([1, 2], [3.0, math.nan], marker="o", label='<b a="&">')
    axes.set(xlabel="Generation", title="a & b")
    save(figure, [tmp_path / "new.svg"])
    assert areas(tmp_path / "new.svg") == {
        "circle": [('a & b, <b a="&">, generation 1: 3', ('<b a="&">', "1"))]
    }


def test_areas_lie_on_what_is_drawn(tmp_path):
    """The markers that Matplotlib wrote stand where the areas are, whatever was saved before."""
    rows = pd.DataFrame(
        {"lineage": "33m", "generation": [1, 2, 3], "value": [4.0, 9, 6], "error": 0.5}
    )
    draw_by_generation(rows, "Perplexity", {}, [tmp_path / "a.png", tmp_path / "a.svg"])
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    points, marks = (
        np.array([(float(e.get(x)), float(e.get(y))) for e in root.iter(SVG + tag)])
        for tag, x, y in (("circle", "cx", "cy"), ("use", "x", "y"))
    )
    distances = np.abs(points[:, None] - marks).sum(axis=2)
    assert len(points) == 3 and (distances.min(axis=1) < 0.2).all()
