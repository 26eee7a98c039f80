"""Chat completions as servers send them."""

import json

import pytest

from ouroboros.metrics.gpt_eval.answers import read_answer
from ouroboros.metrics.gpt_eval.refusals import Refusal


def answer(message, usage=None, **choice):
    choices = [{"index": 0, "message": message, "finish_reason": "stop", **choice}]
    return json.dumps({"model": "m", "choices": choices, "usage": usage, "error": None})


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "why"}]}


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ({"content": "8"}, "8"),
        ({"content": None, "refusal": "No."}, "No."),
        ({"content": "", "refusal": "No."}, "No."),
        ({"content": "8", "reasoning_content": "why", "reasoning": "why", "thinking": "why"}, "8"),
        ({"content": None, "reasoning_content": "why", "reasoning_details": [THOUGHT]}, ""),
        ({"content": [THOUGHT, {"type": "text", "text": "8"}, {"type": "text", "text": "/9"}]}, "8/9"),
        ({"content": [{"type": "text", "text": "why", "thought": True}]}, ""),
        ({"content": [{"type": "reasoning", "text": "why"}, {"type": "output_text", "text": "8"}]}, "8"),
        ({"content": ["8", "/9"]}, "8/9"),
        ({"content": [{"type": "text", "text": None}, None, 3]}, ""),
        ({"content": {"grammar": 8}}, ""),
        ({}, ""),
        (None, ""),
    ],
)  # fmt: skip
def test_the_reply_is_the_text_without_thoughts_in_fields_or_parts(message, reply):
    assert read_answer(answer(message))["reply"] == reply


def test_the_rest_of_an_answer():
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    read = read_answer(answer({"content": "8"}, usage, finish_reason="length"))
    assert read == {"reply": "8", "finish_reason": "length", "model": "m", "tokens": (3, 4)}
    usage["completion_tokens"] = 0  # an empty reply is counted too
    assert read_answer(answer({"content": "8"}, usage))["tokens"] == (3, 0)


@pytest.mark.parametrize(
    "body",
    [
        "", "data: {}", "[]", "{}", "null", "3", '{"choices": null}', '{"choices": []}', '{"choices": [3]}',
        '{"choices": [{"text": "8"}]}', '{"error": {"message": "Gone"}}', '{"error": "Gone"}',
        '{"error": {"message": "Gone"}, "choices": [{"message": {"content": ""}}]}',
        '{"choices": [{"message": {"content": null}, "error": {"code": 502, "message": "Gone"}}]}',
    ],
)  # fmt: skip
def test_what_is_no_chat_completion_is_a_refusal_with_its_words(body):
    with pytest.raises(Refusal) as caught:
        read_answer(body)
    said = "Gone" if "Gone" in body else body
    assert caught.value.answer().endswith(said or "without a word")
