"""Progress in a log: sparse lines with rate and time left."""

import logging
import re

from ouroboros.jobs.progress import Progress, Reported, last_reported


def test_lines_are_sparse_and_say_what_is_left(caplog, monkeypatch):
    clock = iter(range(0, 10_000, 10))  # ten seconds pass at every look
    monkeypatch.setattr("ouroboros.jobs.progress.time.monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "ouroboros"):
        progress = Progress("sample", 20, "tokens", interval=60)
        for _ in range(20):
            progress.add(1, "loss 2.0")
        progress.close()
    assert 3 <= len(caplog.messages) <= 6
    line = r"sample: \d+ of 20 tokens \(\d+ %\), [\d.]+ tokens/s, \d:\d\d:\d\d left, loss 2.0"
    assert re.fullmatch(line, caplog.messages[0])
    assert caplog.messages[-1].startswith("sample: 20 of 20 tokens (100 %)")


def test_no_bar_where_there_is_no_terminal(capsys):
    progress = Progress("sample", 2, "tokens")
    progress.add(2)
    progress.close()
    assert capsys.readouterr().err == ""


def test_a_line_is_read_back(caplog, monkeypatch):
    clock = iter([0.0, 100.0, 100.0, 100.0])
    monkeypatch.setattr("ouroboros.jobs.progress.time.monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "ouroboros"):
        Progress("generation 2, epoch 1", 10_000_000, "tokens").add(2_000_000, "loss 2.0")
    text = f"2026-11-25 15:42:42 {caplog.messages[0]}\n"
    expected = Reported("generation 2, epoch 1", 2_000_000, 10_000_000, "tokens", 2e4, 400.0)
    assert last_reported(text) == expected
    other = text.replace("generation 2, epoch 1", "perplexity").replace("0:06:40", "unknown time")
    assert last_reported(text + other).what == "perplexity"
    assert last_reported(other).left is None
    assert last_reported(text + other, "generation") == expected
    assert last_reported("2026-11-25 15:42:42 generation 2, epoch 1: 20 of") is None
