"""A judge over real HTTP: what is asked, what is paid, and everything that can go wrong."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from email.utils import formatdate
from types import SimpleNamespace

import gpt_eval
import pytest
from judge_server import GRADES, JudgeServer, error, reply

import adaptor
from ouroboros import judge_client
from ouroboros.errors import UserError
from ouroboros.judge import Judge, grade
from ouroboros.replies import Replies

KEY = "sk-test-ab12CD34-never-to-be-seen"
READ = json.loads(GRADES)
STORIES = [
    {"beginning": f"Tom had {count} boats and", "completions": [{"text": " a kite."}] * 2}
    for count in range(3)
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(judge_client, "FIRST_PAUSE", 0.01)


@pytest.fixture
def server():
    with JudgeServer(KEY) as server:
        yield server


@pytest.fixture
def replies(tmp_path):
    return tmp_path / "judges" / "local.jsonl"


def settings(server, **changes):
    return {
        "base_url": server.url, "model": "grader", "temperature": 1.0, "max_tokens": 100,
        "max_tokens_key": "max_tokens", "attempts": 3, "concurrency": 2,
        "requests_per_minute": 1e6, "max_retries": 3, "timeout": 10,
        "key_variable": "OPENAI_API_KEY", "price_per_million_input_tokens": 10.0,
        "price_per_million_output_tokens": 20.0, "budget": 10.0, **changes,
    }  # fmt: skip


def ask(server, path, stories=STORIES, **changes):
    with Replies(path) as replies:
        return grade(Judge(**settings(server, **changes)), stories, replies)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


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
    assert 98 < judge_client.pause_asked(header) <= 100
    assert judge_client.pause_asked({"retry-after": "soon"}) is None
    assert judge_client.pause_asked({"retry-after": "-3"}) == 0


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


def test_a_stop_loses_nothing(server, replies):
    whole, _ = ask(server, replies)
    content = replies.read_bytes()
    replies.write_bytes(content[:-30])  # killed while it wrote the last line
    again, _ = ask(server, replies)
    assert again == whole
    assert len(server.requests) == 7
    assert len(lines(replies)) == 6


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_job_that_is_stopped_pays_for_nothing_twice(server, replies, stop):
    """On SIGINT what is on its way arrives; on SIGKILL that, at most one per request, is lost."""
    server.delay = 0.3
    many = [{"beginning": f"{n} boats", "completions": [{"text": "."}]} for n in range(40)]
    code = (
        "import sys, json; from ouroboros.judge import *; from ouroboros.replies import Replies\n"
        "judge, path, stories = json.loads(sys.argv[1])\n"
        "with Replies(path) as replies: grade(Judge(**judge), stories, replies)"
    )
    arguments = json.dumps([settings(server, concurrency=3), str(replies), many])
    job = subprocess.Popen(
        [sys.executable, "-c", code, arguments], stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENAI_LOG": "debug"},
    )  # fmt: skip
    while len(server.requests) < 8:
        assert job.poll() is None
        time.sleep(0.01)
    job.send_signal(stop)
    said = job.communicate()[1]
    assert b"POST" in said and KEY.encode() not in said
    sent, kept = len(server.requests), replies.read_bytes().count(b"\n")
    assert sent < 40
    assert kept == sent if stop == signal.SIGINT else sent - 3 <= kept
    server.delay = 0
    grades, _ = ask(server, replies, many)
    assert grades == [[READ]] * 40
    assert len(server.requests) == sent + 40 - kept


def test_two_jobs_of_a_judge_wait_for_each_other(replies):
    with Replies(replies) as first:
        second = threading.Thread(target=lambda: Replies(replies).__enter__().__exit__())
        second.start()
        second.join(0.2)
        assert second.is_alive()
        first.append({"key": "a", "cost": 1})
    second.join(10)
    assert not second.is_alive()


def test_a_reply_on_its_way_is_kept_when_another_ends_it(server, replies):
    server.plan = [GRADES, (404, {}, error("gone"))]
    server.delay = 0.3
    with pytest.raises(UserError, match="gone"):
        ask(server, replies)
    assert (len(server.requests), len(lines(replies))) == (2, 1)


@pytest.mark.parametrize(
    "change", [{"model": "other"}, {"temperature": 0.5}, {"max_tokens": 99}, {"base_url": None}]
)
def test_changed_settings_never_reuse_a_reply(server, replies, change):
    ask(server, replies)
    if "base_url" in change:
        change = {"base_url": server.url.replace("127.0.0.1", "localhost")}
    ask(server, replies, **change)
    assert len(server.requests) == 12


def test_how_it_is_asked_changes_nothing(server, replies):
    ask(server, replies)
    ask(server, replies, temperature=1, concurrency=5, requests_per_minute=10, timeout=99, budget=9)
    assert len(server.requests) == 6


def test_a_damaged_file_of_replies_is_named(server, replies):
    ask(server, replies)
    replies.write_bytes(b"}{\n" + replies.read_bytes())
    with pytest.raises(UserError, match=r"local.jsonl, line 1, is not a judge's reply"):
        ask(server, replies)


def test_the_budget_is_never_exceeded(server, replies):
    """A reply costs 300 * 10 + 20 * 20 millionths; replies of no use use the budget up."""
    server.plan = ["Very nice!"] * 100
    many = [{"beginning": f"{n} boats", "completions": [{"text": "."}]} for n in range(5)]
    with pytest.raises(UserError, match="The budget of 0.04 .* is used up.*kept"):
        ask(server, replies, many, budget=0.04, attempts=100, concurrency=1)
    spent = sum(line["cost"] for line in lines(replies))
    assert spent == pytest.approx(0.0034 * len(server.requests))
    assert 0.02 < spent <= 0.04
    count = len(server.requests)
    with pytest.raises(UserError, match="budget"):
        ask(server, replies, many, budget=0.04, attempts=100)
    assert len(server.requests) == count


def test_an_estimate_beyond_the_budget_ends_it_before_the_first_request(server, replies, caplog):
    with (
        caplog.at_level(logging.INFO, "ouroboros"),
        pytest.raises(UserError, match="Asking grader for 6 replies costs about 0.0.*Nothing was"),
    ):
        ask(server, replies, budget=0.001)
    assert server.requests == []
    assert "grader at http://127.0.0.1:" in caplog.text and "6 requests, about" in caplog.text


def test_a_lost_answer_may_have_been_billed(server, replies):
    server.plan = ["hang"]
    ask(server, replies, timeout=1)
    lost = [line for line in lines(replies) if line["key"] is None]
    assert [line["lost"] for line in lost] == ["no answer within 1 s"]
    assert lost[0]["cost"] > 0


def test_a_server_that_counts_no_tokens(server, replies):
    server.plan = [(200, {}, reply(GRADES, {"model": "x"}, usage=None))]
    _, records = ask(server, replies, concurrency=1)
    assert records[0]["cost"] > records[1]["cost"] > 0  # the bound, where nothing better is known


def test_requests_run_side_by_side_up_to_the_limit(server, replies):
    server.delay = 0.2
    ask(server, replies, concurrency=3)
    assert server.most_busy == 3


def test_requests_keep_their_pace(server, replies):
    ask(server, replies, requests_per_minute=1200, concurrency=6)
    times = [when for when, _ in server.requests]
    assert times[-1] - times[0] >= 5 * 60 / 1200 - 0.01


def test_the_key_is_nowhere(server, tmp_path, capfd, monkeypatch):
    """Everything that a job writes, with a server that repeats the key in all that it says."""
    (tmp_path / "completions.json").write_text(json.dumps({"stories": STORIES}))
    monkeypatch.setattr(adaptor.log, "handlers", [])
    monkeypatch.chdir(tmp_path)

    def job(plan, **changes):
        judge = settings(server, **changes)
        server.plan = plan
        adaptor.run(
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
    monkeypatch.setattr(judge_client.JudgeClient, "_record", None)  # an error of our own
    with pytest.raises(TypeError):
        job([], model="another")
    assert "Traceback" in (tmp_path / "gpt_eval.log").read_text()
    assert KEY not in (tmp_path / "gpt_eval.log").read_text()
