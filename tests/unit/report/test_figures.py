"""Figures 3, 4 and those of the extended data show what was measured."""

import itertools
import math
import re

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from ouroboros.metrics.ppl.loss_distribution import loss_histogram
from ouroboros.pipeline.declarations import figures
from ouroboros.pipeline.regimes import accumulate
from ouroboros.report.drawing import generations, losses, schematic, scores
from ouroboros.storage.atomic import write_json


@pytest.fixture
def drawn(monkeypatch):
    """The figure that was last drawn."""
    kept = {}
    for module in (generations, losses, schematic, scores):
        monkeypatch.setattr(module, "save", lambda figure, paths: kept.update(figure=figure))
    return lambda: kept["figure"]


def measured(panels=("IMDB", "RTE"), generations=3):
    return pd.DataFrame(
        {"panel": panel, "generation": n, "score": 0.9 - 0.1 * n, "error": 0.01 * n, "guess": 0.5}
        for panel in panels
        for n in reversed(range(generations + 1))
    )


def test_scores_have_a_panel_per_kind_with_its_points_errors_and_references(drawn):
    scores.draw_scores(measured(), "Accuracy", "33m", [])
    panels = drawn().axes
    assert [axes.get_title() for axes in panels] == ["IMDB", "RTE"]
    points, baseline, guess = panels[1].get_lines()
    assert points.get_xydata().tolist() == pytest.approx(np.array([[1, 0.8], [2, 0.7], [3, 0.6]]))
    assert np.allclose(spans(panels[1]), [[0.79, 0.81], [0.68, 0.72], [0.57, 0.63]])
    assert set(baseline.get_ydata()) == {0.9} and set(guess.get_ydata()) == {0.5}
    (legend,) = drawn().legends
    said = [text.get_text() for text in legend.get_texts()]
    assert len(said) == 3 and "baseline" in said


def test_eight_tasks_and_scores_without_errors_or_guesses(drawn):
    rows = measured([f"task {n}" for n in range(8)], 2).assign(error=None, guess=None)
    scores.draw_scores(rows, "Weighted F1", "33m", [])
    assert len(drawn().axes) == 8
    assert all(len(axes.get_lines()) == 2 for axes in drawn().axes)


def spans(axes):
    """Ends of the error bars of a panel, from the bottom up."""
    (bars,) = axes.containers[0][2]
    return [segment[:, 1].tolist() for segment in bars.get_segments()]


def test_errors_of_accuracies_have_those_of_the_seeds_and_the_caption_says_so(drawn, tmp_path):
    """One seed: .03 of the examples and .01 assumed of the seeds. Three: the artifact's own."""
    for generation, seeds in ((1, {}), (2, {"seeds": 3})):
        write_json(tmp_path / f"{generation}.json", {
            "accuracy": 0.8, "standard_error": 0.03, "weighted_f1": 0.7, **seeds,
            "majority": {"accuracy": 0.5, "weighted_f1": 0.3},
            "provenance": {"task": "rte", "generation": generation},
        })  # fmt: skip
    files = {"classification": [tmp_path / "1.json", tmp_path / "2.json"]}
    accuracy = figures()["accuracy"]
    accuracy.draw(files, {}, "33m", [])
    one = math.sqrt(0.03**2 + 0.01**2)
    assert np.allclose(spans(drawn().axes[0]), [[0.8 - one, 0.8 + one], [0.77, 0.83]])
    assert "a standard deviation of 0.01 between seeds" in accuracy.CAPTION
    figures()["weighted_f1"].draw(files, {}, "33m", [])
    assert np.allclose(spans(drawn().axes[0]), 0.7)


def test_errors_of_grades_are_the_judges(drawn, tmp_path):
    grades = {
        "grammar": {"mean": 7, "standard_error": 0.25},
        "consistency": {"mean": 6, "standard_error": None},
    }
    write_json(tmp_path / "1.json", {**grades, "provenance": {"generation": 1}})
    files = {"gpt_eval": [tmp_path / "1.json"]}
    figures()["gpt_eval"].draw(files, {"judge": {"model": "j"}}, "33m", [])
    assert [spans(axes) for axes in drawn().axes] == [[[6.75, 7.25]], [[6, 6]]]


def test_grades_of_nothing_are_an_empty_panel(drawn, tmp_path):
    """Generation 1 has no grades at all; the baseline alone has some of its consistency."""
    none = {"mean": None, "standard_error": None}
    for generation, consistency in ((0, {"mean": 6, "standard_error": None}), (1, none)):
        write_json(tmp_path / f"{generation}.json", {
            "grammar": none, "consistency": consistency, "provenance": {"generation": generation},
        })  # fmt: skip
    files = {"gpt_eval": [tmp_path / "0.json", tmp_path / "1.json"]}
    figures()["gpt_eval"].draw(files, {"judge": {"model": "j"}}, "33m", [])
    grammar, consistency = drawn().axes
    assert [text.get_text() for text in grammar.texts] == ["no scores"]
    assert grammar.get_title() == "Grammar" and not grammar.get_lines()
    assert set(consistency.get_lines()[-1].get_ydata()) == {6}


def test_the_band_of_perplexity_is_the_error_of_the_loss_times_perplexity(drawn, tmp_path):
    for generation, error in ((1, 0.05), (2, None)):
        write_json(tmp_path / f"{generation}.json", {
            "perplexity": 8.0, "loss": math.log(8), "standard_error": error,
            "provenance": {"lineage": "33m", "generation": generation},
        })  # fmt: skip
    write_json(tmp_path / "tokens.json", {"validation": {}})
    files = {
        "ppl": [tmp_path / "1.json", tmp_path / "2.json"],
        "tokens": [tmp_path / "tokens.json"],
    }
    figures()["perplexity"].draw(files, {"lineages": ["33m"]}, "33m", [])
    band = drawn().axes[0].collections[-1]  # the others are seaborn's, and empty
    edges = {tuple(point) for point in band.get_paths()[0].vertices.round(9)}
    assert edges == {(1, 7.6), (1, 8.4), (2, 8.0)}


def test_losses_are_shares_of_the_tokens_and_some_of_many_generations(drawn):
    histograms = {"baseline": loss_histogram(np.full(4, 10.8))}
    for n in range(1, 41):
        histograms[f"gen{n}"] = loss_histogram(np.array([0.1, 0.1, 0.1, 1.3 + n / 4]))
    losses.draw_losses(histograms, "33m", [])
    axes = drawn().axes[0]
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[0] == "generation 1" and names[-2:] == ["generation 40", "baseline"]
    assert len(names) == losses.MOST_LINES + 1
    line = axes.get_lines()[0].get_xydata()
    assert line[0].tolist() == [0.0, 0.75] and line[-1].tolist() == [1.5, 0.25]


def links(axes):
    """The links of the schematic by kind, each as the texts of the boxes that it joins."""
    boxes = [text for text in axes.texts if text.get_text() and text.get_ha() == "center"]
    kinds = {(0.9, "-"): "thin", (3.0, "-"): "thick", (1.2, ":"): "dotted"}
    found = {kind: set() for kind in kinds.values()}
    for text in axes.texts:
        if getattr(text, "arrow_patch", None):
            style = text.arrow_patch.get_linewidth(), text.arrow_patch.get_linestyle()
            ends = [
                min(boxes, key=lambda box: np.hypot(*np.subtract(box.get_position(), end)))
                for end in (text.xyann, text.xy)
            ]
            found[kinds[style]].add(tuple(box.get_text().replace("\n", " ") for box in ends))
    return found


def test_the_schematic_has_the_three_kinds_of_links(drawn):
    """Extended data figure 5: a model before and after training, models of two generations, tests."""
    tests = {"baseline": ["loss b"], "gen1": ["loss 1", "words"], "gen2": ["loss 2"]}
    schematic.draw_schematic("33m", tests, 8, "", [])
    found = links(drawn().axes[0])
    tuned, scores = "fine-tuned LMs (8 tasks)", "accuracy weighted F1"
    lms = ["untrained LM (baseline)", "LM of generation 1", "LM of generation 2"]
    assert found["thin"] == {
        *(("untrained LM", lm) for lm in lms[1:]),
        *((lm, tuned) for lm in lms),
    }
    assert found["thick"] == {(lms[1], lms[2])}
    results = zip(lms, ("loss b", "loss 1 words", "loss 2"), strict=True)
    assert found["dotted"] == {*results, (tuned, scores)}


def test_of_many_generations_some_are_left_out(drawn):
    tests = {lm: ["loss"] for lm in ("baseline", "gen1", "gen2", "gen40")}
    schematic.draw_schematic("33m", tests, 0, "", [])
    second, gap, last = "LM of generation 2", "· · ·", "LM of generation 40"
    found = links(drawn().axes[0])
    assert found["thick"] == {("LM of generation 1", second), (second, gap), (gap, last)}
    assert {start for start, _ in found["thin"]} == {"untrained LM"}  # nothing is fine-tuned


def test_what_each_generation_is_trained_on_is_said(drawn):
    tests = {lm: ["loss"] for lm in ("baseline", "gen1", "gen2", "gen8")}
    schematic.draw_schematic("mine", tests, 0, accumulate.MARK, [])
    texts = [text.get_text().replace("\n", " ") for text in drawn().axes[0].texts]
    assert [text for text in texts if text.startswith("trained on")] == [
        "trained on the initial corpus",
        *(f"trained on text of generation {n} with all before it" for n in (1, 7)),
    ]


@pytest.mark.parametrize("generations, tasks", [(1, 0), (2, 8), (40, 1)])
def test_the_boxes_of_the_schematic_do_not_overlap(drawn, generations, tasks):
    shown = ["baseline", *(f"gen{n}" for n in sorted({1, min(2, generations), generations}))]
    tests = {lm: ["perplexity", "generated text", "GPT-Eval"] for lm in shown}
    schematic.draw_schematic("33m", tests, tasks, "", [])
    figure = drawn()
    figure.canvas.draw()
    axes = figure.axes[0]
    boxes = [patch.get_window_extent() for patch in axes.patches]
    assert len(boxes) == (2 * len(shown) + len(shown) - 1) + 2 * len(shown) * bool(tasks)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    for box in (*boxes, axes.get_legend().get_window_extent()):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    for text in axes.texts:  # and a box's text is inside
        if text.get_text() and text.get_fontsize() == 8:
            extent = text.get_window_extent()
            assert any(b.x0 < extent.x0 < extent.x1 < b.x1 for b in boxes), text


def test_they_are_whole_pictures_and_the_same_again(tmp_path):
    for name in ("a", "b"):
        paths = [tmp_path / f"{name}.svg", tmp_path / f"{name}.png"]
        scores.draw_scores(measured(), "Accuracy", "33m", paths)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert re.search(r">\s*Accuracy\s*<", (tmp_path / "a.svg").read_text())
    assert matplotlib.image.imread(tmp_path / "a.png").std() > 0.05
