"""Paid replies of a judge are kept, never bought twice, and never beyond the budget."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from judge_server import GRADES, error, reply
from judging import KEY, READ, ask, lines, settings

from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.reply_log import Replies


def test_a_stop_loses_nothing(server, replies):
    whole, _ = ask(server, replies)
    content = replies.read_bytes()
    replies.write_bytes(content[:-30])  # killed while it wrote the last line
    again, _ = ask(server, replies)
    assert again == whole
    assert len(server.requests) == 7
    assert len(lines(replies)) == 6


COUNT = 120  # completions: more than are graded before the signal arrives, on a busy machine too


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_job_that_is_stopped_pays_for_nothing_twice(server, replies, stop):
    """On SIGINT what is on its way arrives; on SIGKILL that, at most one per request, is lost."""
    server.delay = 0.3
    many = [{"beginning": f"{n} boats", "completions": [{"text": "."}]} for n in range(COUNT)]
    code = (
        "import sys, json; from ouroboros.metrics.gpt_eval.judge import *; from ouroboros.metrics.gpt_eval.reply_log import Replies\n"
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
    assert sent < COUNT
    assert kept == sent if stop == signal.SIGINT else sent - 3 <= kept
    server.delay = 0
    grades, _ = ask(server, replies, many)
    assert grades == [[READ]] * COUNT
    assert len(server.requests) == sent + COUNT - kept


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
