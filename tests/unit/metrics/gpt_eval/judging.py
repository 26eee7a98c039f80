"""A judge's settings and questions, for tests."""

import json

from judge_server import GRADES

from ouroboros.metrics.gpt_eval.judge import Judge, grade
from ouroboros.metrics.gpt_eval.reply_log import Replies

KEY = "sk-test-ab12CD34-never-to-be-seen"
READ = json.loads(GRADES)
STORIES = [
    {"beginning": f"Tom had {count} boats and", "completions": [{"text": " a kite."}] * 2}
    for count in range(3)
]


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
