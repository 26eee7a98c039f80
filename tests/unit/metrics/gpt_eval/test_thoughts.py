"""Replies without their thoughts."""

import pytest

from ouroboros.metrics.gpt_eval.thoughts import without_thoughts

TAGS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<Thought time='3'>", "</Thought>"),
    ("<seed:think>", "</seed:think>"),
    ("<antThinking>", "</antThinking>"),
    ("<reasoning_content>", "</reasoning_content>"),
    ("<reflection>", "</reflection>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("[THINK]", "[/THINK]"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysisWe", "assistantfinal"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<unused94>thought\n", "<unused95>"),
    ("Here is my thought process:", "Here is my response:"),
]


@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_thoughts_in_tags_are_no_part_of_the_answer(opening, closing):
    assert without_thoughts(f"{opening}a\nb{closing}answer").strip() == "answer"
    assert without_thoughts(f"{opening}a\nb").strip() == ""
    assert without_thoughts(f"a\nb{closing}answer").strip() == "answer"


def test_tags_that_a_thought_speaks_of():
    assert without_thoughts("<think>It ends in </think>, then a</think>answer") == "answer"
    assert without_thoughts("<thinking>a</think>b</thinking>answer") == "answer"


def test_an_answer_may_stand_before_a_thought():
    assert without_thoughts("answer <think>why</think>") == "answer "
    assert without_thoughts("answer <think>wh") == "answer "


@pytest.mark.parametrize(
    "reply", ["I think <b>it</b> is {a < b} [sic]", "Analysis: <answer>8</answer>"]
)
def test_other_tags_are_left_alone(reply):
    assert without_thoughts(reply) == reply
