"""A judge's server on loopback, and where its replies are kept."""

import pytest
from judge_server import JudgeServer
from judging import KEY


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("ouroboros.metrics.gpt_eval.client.FIRST_PAUSE", 0.01)


@pytest.fixture
def server():
    with JudgeServer(KEY) as server:
        yield server


@pytest.fixture
def replies(tmp_path):
    return tmp_path / "judges" / "local.jsonl"
