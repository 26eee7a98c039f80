"""A judge over real HTTP: its requests, and everything that can go wrong."""

import json
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


def test_nobody_there(server, replies):
    with pytest.raises(UserError, match="failed 2 times in a row, at last with: Connection error"):
        ask(server, replies, base_url="http://127.0.0.1:9/v1", max_retries=1)
    assert lines(replies) == []  # and nothing is counted as spent


@pytest.mark.parametrize(
    ("key", "message"),
    [("sk-wrong", "OPENAI_API_KEY is wrong"), ("", "there is no key in the environment variable")],
)
def test_a_wrong_key_ends_it_at_once(server, replies, monkeypatch, key, message):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match=message):
        ask(server, replies, concurrency=1)
    assert len(server.requests) == 1


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
        ((403, {}, error("Country not supported")), "Country not supported"),
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
