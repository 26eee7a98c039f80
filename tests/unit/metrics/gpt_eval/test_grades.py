"""A judge's replies as they come, and the scores that are made of them."""

import numpy as np
import pytest
from tools import REPOSITORY

from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.grades import question, read_grades, scores
from ouroboros.metrics.gpt_eval.prompts import read_prompts

PLAIN = '{"grammar": 8, "creativity": 7, "consistency": 0}'
GRADES = {"grammar": 8, "creativity": 7, "consistency": 0}


@pytest.mark.parametrize(
    "reply",
    [
        PLAIN,
        f"```json\n{PLAIN}\n```",
        f"Here is my assessment:\n\n{PLAIN}\n\nThe student {{mostly}} did well.",
        PLAIN.replace('"', "'"),
        PLAIN.replace('"', "\u2019"),
        PLAIN.replace('"', "\u201d"),
        '{\u201cgrammar\u201d: 8, \u201ccreativity\u201d: 7, \u201cconsistency\u201d: 0}',
        '{"grammar": "8/9", "creativity": "7", "consistency": "0 / 9"}',
        '{"grammar": 8/9, "creativity": 7 / 9, "consistency": 0/9}',
        '{"Grammar": 8.0, "CREATIVITY": 7, "consistency": 0,}',
        '{"grammar": 8,\n "creativity": 7,\n "consistency": 0, "comment": "It\'s fine"}',
        '{"grades": {"grammar": 8, "creativity": 7, "consistency": 0}}',
        f"{PLAIN} To repeat: {PLAIN}",
    ],
)  # fmt: skip
def test_what_can_be_read(reply):
    assert read_grades(reply, cut=False) == GRADES


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I'm sorry, but I cannot grade this.",
        "Grammar: 2 mistakes. Creativity: 7. Consistency: 8.",
        '{"grammar": 8, "creativity": 7, "consistency": 8',
        '{"grammar": 8, "creativity": 7}',
        '{"grammar": 8, "creativity": 7, "consistency": 10}',
        '{"grammar": 8, "creativity": 7, "consistency": -1}',
        '{"grammar": 7.5, "creativity": 7, "consistency": 8}',
        '{"grammar": "8/10", "creativity": 7, "consistency": 8}',
        '{"grammar": 8/10, "creativity": 7, "consistency": 8}',
        '{"grammar": true, "creativity": 7, "consistency": 8}',
        '{"grammar": null, "creativity": 7, "consistency": 8}',
        '{"grammar": NaN, "creativity": 7, "consistency": 8}',
        '{"grammar": "eight", "creativity": 7, "consistency": 8}',
        '{"grammar": 8, "grammar": 3, "creativity": 7, "consistency": 8}',
        f'{PLAIN} or rather {PLAIN.replace("8", "3")}',
        PLAIN.replace("8", '"' + "9" * 5000 + '"'),
        PLAIN.replace("8", "[" * 100_000),
        "[8, 7, 8]",
        "{}",
    ],
)  # fmt: skip
def test_nothing_is_guessed(reply):
    assert read_grades(reply, cut=False) is None


@pytest.mark.parametrize("lead", ["", "\n", "```json\n", "json ", '{"grades": '])
def test_a_reply_that_was_cut_off_has_to_begin_with_the_grades(lead):
    assert read_grades(f"{lead}{PLAIN} The", cut=True) == GRADES
    assert read_grades(f"So: {lead}{PLAIN} The", cut=True) is None


def test_the_question_shows_where_the_beginning_ends():
    text = question("She was so {weak} she could ", "\n barely calm down.\n")
    assert "\n\nShe was so {weak} she could *** barely calm down.\n\nPlease grade" in text
    assert read_grades(text, cut=False) == dict.fromkeys(
        GRADES, 5
    )  # its example is in the form it asks for


def entry(grammar, creativity=5, consistency=5):
    return {"grammar": grammar, "creativity": creativity, "consistency": consistency}


def test_scores_are_means_over_what_was_read():
    result = scores([[entry(8), None], [entry(4), entry(6)], [None, None]])
    assert result["grammar"]["mean"] == 6
    assert result["creativity"] == {"mean": 5, "standard_error": 0}
    assert (result["completions"], result["graded"], result["unparsed"]) == (6, 3, 3)
    assert result["beginnings"] == 3


def test_the_standard_error_is_over_beginnings():
    """Completions of a beginning that all get its grade tell no more than one of them."""
    grades = [2, 4, 5, 9, 9, 3]
    expected = np.std(grades, ddof=1) / np.sqrt(len(grades))
    for copies in (1, 10):
        result = scores([[entry(grade)] * copies for grade in grades])
        assert result["grammar"]["standard_error"] == pytest.approx(expected)


def test_no_grades_have_no_mean():
    assert scores([[None]])["grammar"] == {"mean": None, "standard_error": None}
    assert scores([[entry(3)]])["grammar"] == {"mean": 3, "standard_error": None}


def test_the_shipped_prompts_break_off():
    prompts = read_prompts(REPOSITORY / "resources/prompts.yaml")
    assert len(prompts) == len(set(prompts)) == 44
    assert all(prompt[-1].isalpha() for prompt in prompts)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has to be a YAML list"),
        ("a: b", "has to be a YAML list"),
        ("- fine\n- Tom said: hello", "entry 2 is .*begin it with |-"),
        ("- [", "cannot be read"),
    ],
)
def test_prompts_that_are_none(tmp_path, content, message):
    (tmp_path / "prompts.yaml").write_text(content)
    with pytest.raises(UserError, match=message):
        read_prompts(tmp_path / "prompts.yaml")


def test_prompts_without_a_network(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="could not be fetched from the hub"):
        read_prompts("hub")
