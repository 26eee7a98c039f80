"""Figures, tables and sample pages show the numbers they are given."""

import re

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from tools import END

from ouroboros.report.drawing.generations import draw_by_generation, draw_entropy_and_oov
from ouroboros.report.samples import cases_page, excerpts, lineage_page, samples_page
from ouroboros.report.tables import summary


def perplexities():
    rows = [("33m", n, 4.0 + n) for n in range(1, 5)] + [
        ("1m", n, 9.0 + 2 * n) for n in range(1, 5)
    ]
    frame = pd.DataFrame(rows, columns=["lineage", "generation", "value"])
    return frame.assign(error=0.2)


def test_figure_1_draws_every_point_and_the_floor(tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        "ouroboros.report.drawing.generations.save",
        lambda figure, paths: drawn.update(axes=figure.axes[0]),
    )
    draw_by_generation(perplexities(), "Perplexity", {"floor 3.25": 3.25}, [])
    lines = [line.get_xydata().tolist() for line in drawn["axes"].get_lines()]
    assert [[n, 4.0 + n] for n in range(1, 5)] in lines
    assert [[n, 9.0 + 2 * n] for n in range(1, 5)] in lines
    labels = [text.get_text() for text in drawn["axes"].get_legend().get_texts()]
    assert {"33m", "1m"} < set(labels)
    assert any("3.25" in label for label in labels)
    assert "Perplexity" in drawn["axes"].get_ylabel()


def test_figure_2_draws_the_line_and_the_bars(monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        "ouroboros.report.drawing.generations.save",
        lambda figure, paths: drawn.update(axes=figure.axes),
    )
    rows = pd.DataFrame(
        {
            "generation": [0, 1, 2],
            "entropy": [5.0, 5.2, 4.9],
            "entropy_error": [0.01, 0.02, 0.0],
            "oov_words": [3, 8, 20],
            "all_oov_words": [9, 30, 70],
        }
    )
    draw_entropy_and_oov(rows, "33m", [])
    left, below, right = drawn["axes"]
    assert [[1, 5.2], [2, 4.9]] in [line.get_xydata().tolist() for line in left.get_lines()]
    assert [bar.get_height() for bar in right.patches] == [8, 20]
    assert [bar.get_height() for bar in below.patches] == [30, 70]
    assert 5.0 in left.get_lines()[1].get_ydata()  # the initial corpus


def test_figures_are_whole_pictures_and_the_same_again(tmp_path):
    for name in ("a", "b"):
        draw_by_generation(
            perplexities(), "Perplexity", {}, [tmp_path / f"{name}.svg", tmp_path / f"{name}.png"]
        )
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert re.search(r">\s*Generation\s*<", (tmp_path / "a.svg").read_text())
    assert matplotlib.image.imread(tmp_path / "a.png").std() > 0.05


def test_the_table():
    measured = {
        "gen1": {
            "ppl": {"perplexity": 8.1, "standard_error": 0.01},
            "text": {"entropy": 5.12345, "oov_words": 12345},
            "oov": {"oov_words": 23456},
        },
        "baseline": {"ppl": {"perplexity": 1030.4567, "standard_error": None}},
    }
    assert summary(measured).markdown() == (
        "| generation | perplexity | entropy | OOV words | all OOV words |\n"
        "|-----------:|-----------:|--------:|----------:|--------------:|\n"
        "|   baseline |    1030.46 |         |           |               |\n"
        "|          1 |       8.10 |   5.123 |    12,345 |        23,456 |\n"
    )


@pytest.fixture
def rows(tokenizer, texts):
    ids = [tokenizer.encode(text).ids[:20] for text in texts[:3]]
    return np.array(ids, np.uint16)


def test_excerpts_are_the_beginnings(tokenizer, texts, rows):
    got = excerpts(rows, tokenizer, 2, 10)
    assert len(got) == 2
    assert all(
        text.startswith(part) and len(part) > 10 for text, part in zip(texts, got, strict=False)
    )
    ended = np.array([[*rows[0][:5], END, *rows[0][:5]]], np.uint16)
    assert "<|endoftext|>" in excerpts(ended, tokenizer, 1, 11)[0]


def test_sampled_text_cannot_pose_as_markup():
    page = samples_page("demo, gen1", ["# Not a heading\n<b>*bold*</b>"])
    assert "\n> \\# Not a heading  \n> \\<b\\>\\*bold\\*\\</b\\>" in page
    table = lineage_page("demo", [("1", ["a | b\n\nc"]), ("2", ["d"])])
    assert table.splitlines()[-2:] == ["| 1 | a \\| b c |", "| 2 | d |"]


def test_cases_of_gpt_eval_stand_beside_their_grades():
    story = {
        "beginning": "Lily was so weak she could",
        "completions": [{"text": " not | stand."}, {"text": ""}],
    }
    grades = [{"grammar": 8, "creativity": 7, "consistency": 6}, None]
    page = cases_page("33m", [("1", story, grades), ("baseline", story, grades[::-1])])
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert rows[0] == "| 1 | not \\| stand. | 8 | 7 | 6 |"
    assert rows[1] == "| 1 |  |  |  |  |" and rows[2].startswith("| baseline | not")
    assert "> Lily was so weak she could" in page
