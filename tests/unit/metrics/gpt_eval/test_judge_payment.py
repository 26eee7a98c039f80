"""Paid replies of a judge are kept, never bought twice, and never beyond the budget."""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from judge_server import GRADES, error, reply
from judging import KEY, READ, STORIES, ask, lines, settings

from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.judge import Judge, questions
from ouroboros.metrics.gpt_eval.price import bill, estimate, highest_price, price
from ouroboros.metrics.gpt_eval.reply_log import Replies


def test_a_stop_loses_nothing(server, replies):
    whole, _ = ask(server, replies)
    content = replies.read_bytes()
    replies.write_bytes(content[:-30])  # killed while it wrote the last line
    again, _ = ask(server, replies)
    assert again == whole
    assert len(server.requests) == 7
    assert len(lines(replies)) == 6


def test_replies_make_their_folder(tmp_path):
    with Replies(tmp_path / "results/judges/mine.jsonl") as kept:
        assert kept.path.is_file()


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


def test_replies_of_earlier_versions_are_found():
    server = SimpleNamespace(url="http://127.0.0.1:8000/v1")
    assert Judge(**settings(server)).digest("Tom", 1, 2) == (
        "23a5d11f1d8ff4dc0e28d1a5654c150930d87e2e7bb97d3bac66e17e64d73da3"
    )


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


def test_the_budget_holds_for_what_is_in_flight(server, replies):
    """Five at once, each of which turns out as dear as it can be; the budget is of two."""
    many = [{"beginning": f"{n} boats", "completions": [{"text": "."}]} for n in range(5)]
    judge = Judge(**settings(server, concurrency=5))
    texts = [text for story in questions(many) for text in story]
    most = highest_price(judge, texts[0])
    usage = {"prompt_tokens": len(texts[0]) + 200, "completion_tokens": 100, "total_tokens": 0}
    server.plan = [(200, {}, reply(GRADES, {"model": "x"}, usage))] * 5
    with pytest.raises(UserError, match="budget of .* is used up"):
        ask(server, replies, many, concurrency=5, budget=2.5 * most)
    assert [line["cost"] for line in lines(replies)] == pytest.approx([most] * 2)
    assert len(server.requests) == 2


def test_what_is_no_longer_in_flight_leaves_the_budget(server, replies):
    """Three refusals, which cost nothing, and then replies, within a budget of little more than theirs."""
    server.plan = [(503, {}, error("busy"))] * 3
    most = highest_price(Judge(**settings(server)), "x" * 2000)
    grades, _ = ask(server, replies, concurrency=1, budget=6 * 0.0034 + most)
    assert grades == [[READ, READ]] * 3
    assert sum(line["cost"] for line in lines(replies)) == pytest.approx(6 * 0.0034)


def test_the_price_is_that_of_the_tokens():
    judge = SimpleNamespace(
        price_per_million_input_tokens=3.0, price_per_million_output_tokens=50.0, max_tokens=7
    )
    assert price(judge, 2_000_000, 10_000) == 6.5
    question = "\u00e9" * 400  # two bytes each
    assert highest_price(judge, question) == pytest.approx((3 * (800 + 200) + 50 * 7) / 1e6)
    cost = estimate(judge, ["Once upon a time", "the end"])  # 4 and 2 tokens of GPT-2
    assert (cost["requests"], cost["input_tokens"], cost["output_tokens"]) == (2, 4 + 2 + 16, 40)
    assert cost["money"] == pytest.approx((3 * 22 + 50 * 40) / 1e6)


def test_the_bill_is_of_all_replies():
    records = [
        {"input_tokens": 3, "output_tokens": 4, "cost": 0.5, "model": "b"},
        {"input_tokens": None, "output_tokens": None, "cost": 0.25, "model": "a"},
        {"input_tokens": 10, "output_tokens": 20, "cost": 1.0, "model": "b"},
    ]
    assert bill(records) == {
        "requests": 3, "input_tokens": 13, "output_tokens": 24, "money": 1.75,
        "answered_by": ["a", "b"],
    }  # fmt: skip


def test_all_that_was_paid_is_spent_also_after_reopening(replies):
    with Replies(replies) as log:
        log.append({"key": "a", "reply": "good", "cost": 1})
        log.append({"key": None, "lost": "cut", "cost": 2})
        log.append({"key": "b", "reply": "bad", "cost": 4})
        assert log.spent == 7
    replies.write_bytes(replies.read_bytes() + b'{"key": "c", "cost": 8}')  # cut off
    for _ in range(2):
        with Replies(replies) as log:
            assert log.spent == 7
            assert log.get("a")["reply"] == "good" and log.get("b")["cost"] == 4
            assert log.get(None) is None and log.get("c") is None
    with Replies(replies) as log:
        log.append({"key": "c", "cost": 16})
    with Replies(replies) as log:
        assert log.spent == 23


def test_a_reply_is_on_disk_before_it_counts(replies, monkeypatch):
    sizes, fsync = [], os.fsync

    def recording(descriptor):
        sizes.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    with Replies(replies) as log:
        for count in (1, 2):
            log.append({"key": "a", "cost": 1})
            assert sizes == [len(b'{"key": "a", "cost": 1}\n') * n for n in range(1, count + 1)]

        def broken(descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(UserError, match="no space left"):
            log.append({"key": "b", "cost": 1})
        assert log.get("b") is None


def test_an_estimate_beyond_the_budget_ends_it_before_the_first_request(server, replies, caplog):
    with (
        caplog.at_level(logging.INFO, "ouroboros"),
        pytest.raises(UserError, match="Asking grader for 6 replies costs about 0.0.*Nothing was"),
    ):
        ask(server, replies, budget=0.001)
    assert server.requests == []
    assert "grader at http://127.0.0.1:" in caplog.text and "6 requests, about" in caplog.text


def test_the_estimate_is_of_what_is_missing_and_adds_what_is_spent(server, replies):
    ask(server, replies, STORIES[:2])  # four replies at 0.0034
    with pytest.raises(UserError, match=r"Asking grader for 2 replies costs .* but 0.0136 of its"):
        ask(server, replies, budget=0.0136 + 0.001)
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        ("hang", "no answer within 0.5 s"),
        ("cut", "Server disconnected without sending a response"),
        ((200, {}, error("went away")), "no chat completion: went away"),
    ],
)
def test_every_lost_answer_may_have_been_billed(server, replies, failure, why):
    server.plan = [failure, failure]
    ask(server, replies, STORIES[:1], timeout=0.5, concurrency=1)
    *lost, first, second = lines(replies)
    most = highest_price(Judge(**settings(server)), questions(STORIES)[0][0])
    assert [(line["key"], line["lost"]) for line in lost] == [(None, why)] * 2
    assert [line["cost"] for line in lost] == pytest.approx([most] * 2)
    assert first["cost"] == second["cost"] == pytest.approx(0.0034)
    # and the budget is less by them for the next job
    with pytest.raises(UserError, match=rf"used up.*\({2 * most + 0.0068:.6g} is spent\)"):
        ask(server, replies, STORIES[1:], concurrency=1, budget=2 * most + 0.0068 + 0.9 * most)


def test_a_refusal_costs_nothing(server, replies):
    server.plan = [(503, {}, error("busy")), (429, {}, error("slow down"))]
    ask(server, replies, concurrency=1)
    assert len(lines(replies)) == 6


@pytest.mark.parametrize(
    "usage",
    [
        None, {}, [], {"total_tokens": 400}, {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": 300}, {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": "300", "completion_tokens": 20}, {"prompt_tokens": -1, "completion_tokens": 1},
    ],
)  # fmt: skip
def test_a_server_that_counts_no_tokens(server, replies, usage):
    """It costs the bound, where nothing better is known; and the reply is kept."""
    server.plan = [(200, {}, reply(GRADES, {"model": "x"}, usage=usage))]
    grades, records = ask(server, replies, STORIES[:1], concurrency=1)
    assert grades == [[READ, READ]]
    most = highest_price(Judge(**settings(server)), questions(STORIES)[0][0])
    assert [record["cost"] for record in records] == pytest.approx([most, 0.0034])
    assert lines(replies)[0]["input_tokens"] is None
