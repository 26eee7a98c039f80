"""A judge over real HTTP: its requests, and everything that can go wrong."""

import json
import logging
import socket
import time
from email.utils import formatdate
from types import SimpleNamespace

import gpt_eval
import pytest
from judge_server import GRADES, JudgeServer, error, reply
from judging import KEY, READ, STORIES, ask, lines, settings

from ouroboros.errors import UserError
from ouroboros.jobs import script
from ouroboros.metrics.gpt_eval import client
from ouroboros.metrics.gpt_eval.rate_limit import retry_after


def test_every_completion_is_asked_about_with_the_settings(server, replies):
    grades, records = ask(server, replies, concurrency=1)
    assert grades == [[READ, READ]] * 3
    assert len(records) == len(server.requests) == 6  # about equal completions one by one
    assert {body["messages"][0]["content"].split("\n\n")[1] for _, body in server.requests} == {
        f"Tom had {count} boats and *** a kite." for count in range(3)
    }
    body = server.requests[0][1]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("grader", 1.0, 100)
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_newer_models_get_the_settings_that_they_know(server, replies):
    ask(server, replies, temperature=None, max_tokens_key="max_completion_tokens")
    body = server.requests[0][1]
    assert "temperature" not in body and "max_tokens" not in body
    assert body["max_completion_tokens"] == 100


def test_a_server_that_refuses_both_names_of_the_limit_gets_none(server, replies):
    ask(server, replies, STORIES[:1], max_tokens_key=None)
    assert set(server.requests[0][1]) == {"model", "messages", "temperature"}
    ask(server, replies, STORIES[:1])  # another setting, so none of these replies will do
    assert len(server.requests) == 4


PASSING = {
    "429 with Retry-After": (429, {"Retry-After": "0.2"}, error("slow down")),
    "429 without": (429, {}, error("slow down")),
    "500": (500, {}, error("oops")),
    "503 with a page": (503, {"Content-Type": "text/html"}, "<html>busy</html>"),
    "hang": "hang",
    "cut": "cut",
    "malformed JSON": (200, {}, '{"id": "chatcmpl-1", "choi'),
    "a page": (200, {"Content-Type": "text/html"}, "<html>welcome</html>"),
    "no choices": (200, {}, error("the model went away")),
}


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(server, replies, failure):
    server.plan = [failure, failure]
    grades, records = ask(server, replies, timeout=1, concurrency=1)
    assert grades == [[READ, READ]] * 3
    assert (len(server.requests), len(records)) == (8, 6)


def test_retry_after_holds_back_all_requests(server, replies):
    server.plan = [(429, {"Retry-After": "0.4"}, error("slow down"))]
    ask(server, replies, concurrency=1)
    first, second = (when for when, _ in server.requests[:2])
    assert second - first >= 0.4


def test_retry_after_may_be_a_date():
    header = {"retry-after": formatdate(time.time() + 100, usegmt=True)}
    assert 98 < retry_after(header) <= 100
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "-3"}) == 0


def test_a_server_that_wants_a_day_off_is_not_waited_for(server, replies):
    server.plan = [(429, {"Retry-After": "86400"}, error("daily limit"))]
    with pytest.raises(UserError, match="wants no request for 86400 seconds"):
        ask(server, replies)


@pytest.mark.parametrize("failure", [(503, {}, error("busy")), "cut"])
def test_a_server_that_stays_down_ends_it(server, replies, failure):
    server.plan = [GRADES, GRADES] + [failure] * 20
    with pytest.raises(UserError, match=r"failed 3 times in a row, at last with: .*are kept"):
        ask(server, replies, max_retries=2, concurrency=1)
    assert len(server.requests) == 5
    server.plan = []
    grades, _ = ask(server, replies)
    assert grades == [[READ, READ]] * 3
    assert len(server.requests) == 5 + 4  # the two that were answered are not asked again


def test_nobody_there(server, replies, caplog):
    """Told at once, and retried: a server of one's own may still be starting."""
    with (
        caplog.at_level(logging.WARNING, "ouroboros"),
        pytest.raises(UserError, match="failed 2 times in a row, at last with: Connection refused"),
    ):
        ask(server, replies, base_url="http://127.0.0.1:9/v1", max_retries=1, concurrency=1)
    assert "127.0.0.1:9/v1: Connection refused. Next request in 0.0 s." in caplog.messages[0]
    assert lines(replies) == []  # and nothing is counted as spent


def unknown(*_, **__):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("url", "environment", "message"),
    [
        ("http://no-judge.invalid/v1", {}, r"name of its server cannot be found \(Name or service"),
        ("https://127.0.0.1:{port}/v1", {}, r"TLS fails \(\[SSL"),
        (
            "http://127.0.0.1:{port}/v1", {"HTTP_PROXY": "http://me:secret@127.0.0.1:9", "NO_PROXY": ""},
            r"\(through the proxy 127.0.0.1:9\).*the proxy fails \(Connection refused\).*HTTP_PROXY",
        ),
        (
            "https://judge.example/v1", {"HTTPS_PROXY": "http://127.0.0.1:{port}"},
            r"the proxy fails \(501 Unsupported method \('CONNECT'\)\)",
        ),
        ("https://judge.example/v1", {"HTTPS_PROXY": "ftp://x"}, "Unknown scheme for proxy"),
        ("https://judge.example/v1", {"HTTPS_PROXY": "socks5://x:1"}, "SOCKS proxy.*HTTPS_PROXY"),
        ("https://judge.example/v1", {"SSL_CERT_FILE": "/none.pem"}, "No such file.*SSL_CERT_FILE"),
        ("http://127.0.0.1:99999/v1", {}, "Port out of range.*`base_url`"),
    ],
)  # fmt: skip
def test_what_no_waiting_mends_is_told_before_the_first_retry(
    server, replies, monkeypatch, url, environment, message
):
    port = server.http.server_port
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(port=port))
    if "invalid" in url:
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(client.JudgeClient, "_pause", None)
    with pytest.raises(UserError, match=message) as caught:
        ask(server, replies, base_url=url.format(port=port), concurrency=1)
    assert "secret" not in str(caught.value)
    assert lines(replies) == []


def test_a_name_that_was_found_before_is_looked_up_again(server, replies, monkeypatch):
    """In the middle of a job a name server may be away for a moment."""
    server.plan = [GRADES, "cut"]  # the connection is made anew after that
    find, failures = socket.getaddrinfo, iter([False, True, True])

    def sometimes(*arguments, **names):
        return unknown() if next(failures, False) else find(*arguments, **names)

    monkeypatch.setattr(socket, "getaddrinfo", sometimes)
    monkeypatch.setenv("NO_PROXY", "localhost")
    grades, _ = ask(
        server, replies, base_url=server.url.replace("127.0.0.1", "localhost"), concurrency=1
    )
    assert grades == [[READ, READ]] * 3
    assert next(failures, None) is None


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "sk-wrong",
            r"\(401: Incorrect API key .*was sent the key in .* variable OPENAI_API_KEY\.",
        ),
        ("", "was sent no key: there is none in the environment variable OPENAI_API_KEY"),
    ],
)
def test_a_wrong_key_ends_it_at_once(server, replies, monkeypatch, key, message):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match=message):
        ask(server, replies, concurrency=1)
    assert len(server.requests) == 1


def test_a_401_that_is_not_about_the_key_says_so(server, replies):
    masked = f"You ({KEY[:8]}********seen) are no member of this organisation"
    server.plan = [(401, {}, error(masked))]
    with pytest.raises(
        UserError, match=r"\(401: You \(\[key\]\) are no member of this organisation\)"
    ):
        ask(server, replies, concurrency=1)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schl\u00fcssel"])
def test_a_key_that_cannot_be_one_is_refused_unseen(server, replies, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="OPENAI_API_KEY holds characters") as caught:
        ask(server, replies)
    assert key not in str(caught.value)
    assert server.requests == []


def test_a_server_without_keys_gets_none(replies):
    with JudgeServer("none") as server:
        grades, _ = ask(server, replies, key_variable=None)
    assert grades == [[READ, READ]] * 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, {}, error("The model `grader` does not exist")), "does not exist.*Check `base_url`"),
        ((400, {}, error("Use 'max_completion_tokens' instead")), "max_completion_tokens"),
        ((429, {}, error("You exceeded your quota", "insufficient_quota")), "no credit left"),
        ((403, {}, error("Country not supported")), r"\(403: Country not supported\). All replies"),
        (
            (400, {}, '{"error": "Unsupported parameter: max_tokens"}'),
            "`max_tokens_key` .* null sends",
        ),
        ((422, {}, '{"detail": [{"msg": "no such field"}]}'), "no such field"),
        (
            (400, {}, error("max_tokens is too large: 9. The context length is 8")),
            "is too large: 9",
        ),
        (
            (200, {}, '{"error": {"message": "no such model", "code": 404}}'),
            r"\(404: no such model\)",
        ),
        ((404, {"Content-Type": "text/html"}, "<style>b{}</style><b>Lost</b>"), r"\(404: Lost\)"),
        ((405, {}, ""), r"\(405: Method Not Allowed\).*Check `base_url`"),
    ],
)
def test_what_no_waiting_mends_ends_it_at_once(server, replies, answer, message):
    server.plan = [answer]
    with pytest.raises(UserError, match=message):
        ask(server, replies, concurrency=1)
    assert len(server.requests) == 1


def test_what_cannot_be_read_is_asked_again_and_then_counted(server, replies):
    refusal = (200, {}, reply(None, {"model": "x"}, refusal="I will not grade this."))
    server.plan = [
        "Very nice!", GRADES,  # read at the second attempt
        refusal, "", '{"grammar": 8',  # never
    ]  # fmt: skip
    grades, records = ask(server, replies, concurrency=1)
    assert [entry for story in grades for entry in story] == [READ, None, READ, READ, READ, READ]
    assert len(records) == len(server.requests) == 9
    assert records[2]["reply"] == "I will not grade this."
    again, _ = ask(server, replies)
    assert again == grades and len(server.requests) == 9  # unread replies are not bought twice
    ask(server, replies, attempts=4)
    assert len(server.requests) == 10


FORM = '{"grammar": 5, "creativity": 5, "consistency": 5}'  # the example in the question
MESSAGES = {
    "in a tag": {"content": f"<think>The form is {FORM}. Now the st"},
    "whose tag is in the prompt": {"content": f"The form is {FORM}. Now the st"},
    "in a part": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": FORM}]}]},
    "in a marked part": {"content": [{"type": "text", "text": FORM, "thought": True}]},
    "in a field": {"content": None, "reasoning_content": FORM, "reasoning": FORM},
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_thought_that_was_cut_off_is_no_answer_and_is_paid_once(server, replies, caplog, message):
    server.plan = [(200, {}, reply(body={}, finish="length", **message))]
    with caplog.at_level(logging.WARNING, "ouroboros"):
        grades, records = ask(server, replies, concurrency=1)
    assert grades == [[None, READ], [READ, READ], [READ, READ]]
    assert len(records) == len(server.requests) == 6
    assert "cut off by the limit of tokens" in caplog.messages[0]
    assert "raise `max_tokens`" in caplog.messages[0]
    assert caplog.messages[-1].startswith("1 of 6 completions have no grades. 1: the reply was cut")


def test_an_answer_that_was_cut_off_after_its_grades_is_read(server, replies):
    server.plan = [
        (200, {}, reply(f"{GRADES}\nThe student", {}, finish="length")),
        (200, {}, reply(f"<think>{FORM}?</think>\n```json\n{GRADES}\n```\nThe", {}, finish="length")),
    ]  # fmt: skip
    grades, _ = ask(server, replies, concurrency=1)
    assert grades == [[READ, READ]] * 3 and len(server.requests) == 6


def test_later_replies_that_were_paid_before_are_read_after_one_that_was_cut_off(server, replies):
    server.plan = ["Very nice!"]
    ask(server, replies, STORIES[:1], concurrency=1)
    kept = lines(replies)
    kept[0]["finish_reason"] = "length"
    replies.write_text("".join(json.dumps(line) + "\n" for line in kept))
    grades, records = ask(server, replies, STORIES[:1])
    assert grades == [[READ, READ]] and len(records) == len(server.requests) == 3


REFUSED = {
    "a filter": (400, {}, error("The prompt was filtered.", "content_filter")),
    "a filter without a code": (403, {}, error("Your input was flagged")),
    "too long": (400, {}, error("This model's maximum context length is 2048 tokens.")),
    "too long, as an error of the server": (500, {}, error("Context size has been exceeded")),
    "too large": (413, {}, ""),
    "inside a 200": (200, {}, '{"error": {"code": 400, "message": "blocked by content filter"}}'),
}


@pytest.mark.parametrize("refusal", REFUSED.values(), ids=REFUSED)
def test_one_question_that_is_refused_is_ungraded_and_the_others_go_on(
    server, replies, caplog, refusal
):
    server.plan = [refusal, GRADES, refusal]
    with caplog.at_level(logging.WARNING, "ouroboros"):
        grades, records = ask(server, replies, concurrency=1)
    assert grades == [[None, READ], [None, READ], [READ, READ]]
    assert len(server.requests) == 6 and len(records) == 4
    assert caplog.messages[-1].startswith("2 of 6 completions have no grades. 2: the judge refuses")
    ask(server, replies)  # the questions that were refused may be asked again: they cost nothing
    assert len(server.requests) == 8


def test_a_reply_that_a_filter_stopped_is_paid_once(server, replies, caplog):
    server.plan = [(200, {}, reply("I", {}, finish="content_filter"))]
    with caplog.at_level(logging.WARNING, "ouroboros"):
        grades, _ = ask(server, replies, concurrency=1)
    assert grades[0] == [None, READ] and len(server.requests) == 6
    assert "filter stopped the reply (finish_reason content_filter)" in caplog.text


def test_requests_run_side_by_side_up_to_the_limit(server, replies):
    server.delay = 0.2
    ask(server, replies, concurrency=3)
    assert server.most_busy == 3


def test_requests_keep_their_pace(server, replies):
    ask(server, replies, requests_per_minute=300, concurrency=6)
    times = [when for when, _ in server.requests]
    assert times[-1] - times[0] >= 0.8 * 5 * 60 / 300  # the first may arrive late


def test_the_key_is_nowhere(server, tmp_path, capfd, monkeypatch):
    """Everything that a job writes, with a server that repeats the key in all that it says."""
    (tmp_path / "completions.json").write_text(json.dumps({"stories": STORIES}))
    monkeypatch.setattr(script.log, "handlers", [])
    monkeypatch.chdir(tmp_path)

    def job(plan, **changes):
        judge = settings(server, **changes)
        server.plan = plan
        script.run(
            gpt_eval.main,
            SimpleNamespace(
                input=["completions.json"], output=["gpt_eval.json"], log=["gpt_eval.log"],
                rule="gpt_eval", wildcards=SimpleNamespace(lineage="tiny", lm="gen1"),
                config={"judges": {"local": judge}},
                params=SimpleNamespace(
                    judge={"name": "local"}, replies="replies.jsonl", seed=0, generation=1
                ),
            ),
        )  # fmt: skip
        written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        seen = "".join(capfd.readouterr()) + written.decode()
        assert KEY not in seen and KEY[:12] not in seen
        return seen

    echo = error("you sent {given}")
    for final in (400, 401, 403, 404):
        with pytest.raises(SystemExit):
            job([(final, {}, echo)])
    with pytest.raises(SystemExit):
        job([(500, {}, echo)] * 4, concurrency=1)
    (tmp_path / "replies.jsonl").unlink()
    plan = ["{given}", (429, {}, echo), (200, {}, "{given}"), (500, {}, "{given}"), "cut"]
    assert "Bearer [key]" in job(plan, max_retries=9)
    monkeypatch.setattr(client.JudgeClient, "_record", None)  # an error of our own
    with pytest.raises(TypeError):
        job([], model="another")
    assert "Traceback" in (tmp_path / "gpt_eval.log").read_text()
    assert KEY not in (tmp_path / "gpt_eval.log").read_text()
