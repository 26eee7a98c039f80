"""Refusals of servers: their words, and what they are about."""

import json

import pytest

from ouroboros.metrics.gpt_eval.refusals import Refusal, words

# Bodies of public servers, shortened.
OF_ONE_QUESTION = [
    (400, {"code": "content_filter", "param": "prompt", "message": "The response was filtered"}),
    (400, {"code": None, "message": "Oh", "innererror": {"code": "ResponsibleAIPolicyViolation"}}),
    (400, {"code": "invalid_prompt", "message": "your prompt was flagged as violating our usage policy"}),
    (400, {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}),
    (400, {"type": "invalid_request_error", "message": "Content Exists Risk"}),
    (403, {"code": 403, "message": "openai/x requires moderation. Your input was flagged"}),
    (403, "Content violates usage guidelines."),
    (200, {"code": 502, "message": "This content was flagged for possible risk"}),
    (400, {"code": "context_length_exceeded", "message": "Please reduce the length of the messages."}),
    (400, {"message": "This model's maximum context length is 2048 tokens. However, you requested"}),
    (400, {"message": "Input tokens exceed the configured limit of 272000 tokens."}),
    (400, {"message": "The input token count (9) exceeds the maximum number of tokens allowed (8)."}),
    (400, {"type": "exceed_context_size_error", "message": "request (9 tokens) exceeds the available"}),
    (200, {"code": 400, "type": "exceed_context_size_error", "message": "the request exceeds the"}),
    (500, {"code": 500, "type": "server_error", "message": "Context size has been exceeded."}),
    (400, {"message": "litellm.ContextWindowExceededError: prompt is too long: 209303 tokens > 200000"}),
    (400, {"message": "input length and `max_tokens` exceed context limit: 179413 + 32768 > 200000"}),
    (422, "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500"),
    (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1900"),
    (413, "Request Entity Too Large"),
]  # fmt: skip
OF_ALL_QUESTIONS = [
    (400, {"message": "Unsupported parameter: 'max_tokens' is not supported with this model."}),
    (400, {"message": "max_tokens is too large: 9000. This model supports at most 4096 tokens"}),
    (400, {"message": "'max_tokens' or 'max_completion_tokens' is too large: 9. This model's maximum "
                      "context length is 8 tokens"}),
    (400, {"message": "[{'type': 'extra_forbidden', 'loc': ('body', 'max_completion_tokens')}]"}),
    (400, {"message": "Your credit balance is too low to access the API."}),
    (401, {"message": "You have insufficient permissions. Missing scopes: model.request."}),
    (403, {"message": "Country, region, or territory not supported"}),
    (404, {"message": "The model `content-filter` does not exist"}),
    (429, {"message": "Too many tokens per minute"}),
    (503, {"message": "The moderation service is away"}),
    (200, {"message": "The model went away"}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), OF_ONE_QUESTION)
def test_a_filter_and_a_long_prompt_are_of_one_question(status, body):
    assert Refusal(status, body).is_of_one_question()


@pytest.mark.parametrize(("status", "body"), OF_ALL_QUESTIONS)
def test_other_refusals_are_of_all_questions(status, body):
    assert not Refusal(status, body).is_of_one_question()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "Gone."}, "Gone."),
        ({"error": "Gone."}, "Gone."),
        ({"error": {"message": "Gone."}}, "Gone."),
        ({"object": "error", "message": "Gone.", "code": 404}, "Gone."),
        ({"detail": "Gone."}, "Gone."),
        ({"detail": [{"loc": ["body"], "msg": "Gone."}]}, '[{"loc": ["body"], "msg": "Gone."}]'),
        ({"message": "Provider error", "metadata": {"raw": '{"error": "Gone."}'}},
         'Provider error: {"error": "Gone."}'),
        ({"message": "", "status": 3}, '{"message": "", "status": 3}'),
        ("<html><style>b { c }</style>\n<b>Bad</b> Gateway</html>", "Bad Gateway"),
        (" Bad\n  Gateway ", "Bad Gateway"),
        (["Gone."], '["Gone."]'),
        (None, "null"),
        ("", "without a word"),
    ],
)  # fmt: skip
def test_a_server_is_heard_whatever_the_shape_of_its_words(body, said):
    assert words(body) == said


def test_an_error_inside_an_answer_has_the_status_that_it_names():
    assert [Refusal(200, {"code": code}).status for code in (429, "404", "gone", None, 20000)] == [
        429, 404, 200, 200, 200,
    ]  # fmt: skip
    assert Refusal(400, {"code": 500}).status == 400
    assert Refusal(200, {"code": 429, "message": "Slow"}).answer() == "429: Slow"
    assert Refusal(200, {"message": "Gone"}).answer() == "no chat completion: Gone"


def test_credit_is_told_from_a_rate():
    assert Refusal(429, {"code": "insufficient_quota"}).is_of_credit()
    assert Refusal(429, {"type": "insufficient_quota"}).is_of_credit()
    assert not Refusal(429, {"code": "rate_limit_exceeded"}).is_of_credit()


def test_a_traceback_of_a_refusal_has_no_words_of_the_server():
    assert "sk-1" not in repr(Refusal(400, json.loads('{"message": "key sk-1"}')))
