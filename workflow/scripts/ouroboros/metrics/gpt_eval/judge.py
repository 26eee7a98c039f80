"""Completions graded by a judge, a chat model at an OpenAI-compatible endpoint (paper 5.3.3, step 2)."""

import asyncio
import hashlib
import json
import logging
import os
from dataclasses import dataclass

from ouroboros.errors import UserError
from ouroboros.jobs.progress import Progress
from ouroboros.metrics.gpt_eval.client import JudgeClient
from ouroboros.metrics.gpt_eval.grades import question, read_grades
from ouroboros.metrics.gpt_eval.price import estimate

log = logging.getLogger("ouroboros")


@dataclass(frozen=True)
class Judge:
    """An entry of `judges` in the configuration."""

    base_url: str
    model: str
    temperature: float | None
    max_tokens: int
    max_tokens_key: str
    attempts: int
    concurrency: int
    requests_per_minute: float
    max_retries: int
    timeout: float
    key_variable: str | None
    price_per_million_input_tokens: float
    price_per_million_output_tokens: float
    budget: float

    def digest(self, question: str, copy: int, attempt: int) -> str:
        """The key of a reply in the log: a hash of all that the reply depends on.

        `copy` tells equal completions of one beginning apart, `attempt` the requests about one.
        """
        temperature = None if self.temperature is None else float(self.temperature)
        settings = [self.base_url, self.model, temperature, self.max_tokens]
        identity = [*settings, question, copy, attempt]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def read_key(variable: str | None) -> str:
    """The API key in an environment variable; empty without one. UserError where it cannot be a key."""
    key = os.environ.get(variable, "").strip() if variable else ""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UserError(
            f"The environment variable {variable} holds characters that no API key has (spaces, "
            "line breaks or letters beyond ASCII). Set it to the key alone."
        )
    return key


def questions(stories: list[dict]) -> list[list[str]]:
    """The question to the judge about every completion of `stories` (see sampling/completions.py)."""
    return [
        [question(story["beginning"], completion["text"]) for completion in story["completions"]]
        for story in stories
    ]


def grade(judge: Judge, stories: list[dict], replies) -> tuple[list[list], list[dict]]:
    """Grades of every completion, in the shape of `stories`, and the records of all replies.

    A completion's grades are None where none of `attempts` replies could be read. `replies` is an
    open log of replies; the judge is asked only for what is not in it. Raises UserError when the judge
    refuses, keeps failing, or costs more than its budget.
    """
    texts = questions(stories)
    missing = [
        text for story in texts for copy, text in enumerate(story)
        if replies.get(judge.digest(text, copy, 0)) is None
    ]  # fmt: skip
    if missing:
        _check_budget(judge, missing, replies.spent)
    return asyncio.run(_grade(judge, texts, replies))


def _check_budget(judge, missing, spent):
    """Log the estimated price; UserError where it is more than is left of the budget."""
    cost = estimate(judge, missing)
    log.info(
        "%s at %s: %d requests, about %d input and %d output tokens, about %.4f by the prices in the "
        "configuration; %.4f of the budget of %g is spent.",
        judge.model, judge.base_url, cost["requests"], cost["input_tokens"],
        cost["output_tokens"], cost["money"], spent, judge.budget,
    )  # fmt: skip
    if spent + cost["money"] > judge.budget:
        raise UserError(
            f"Asking {judge.model} for {cost['requests']} replies costs about {cost['money']:.4f}, "
            f"but {spent:.4f} of its budget of {judge.budget:g} is spent already. Nothing was "
            "asked. Raise `budget` of the judge in the configuration, or take a cheaper one."
        )


async def _grade(judge, texts, replies):
    client = JudgeClient(judge, read_key(judge.key_variable), replies)
    grades = [[None] * len(story) for story in texts]
    records = [[[] for _ in story] for story in texts]
    places = [(story, copy) for story, each in enumerate(texts) for copy in range(len(each))]
    waiting = iter(places)
    progress = Progress("gpt_eval", len(places), "completions")

    async def work():
        for story, copy in waiting:
            text = texts[story][copy]
            for attempt in range(judge.attempts):
                digest = judge.digest(text, copy, attempt)
                record = replies.get(digest) or await client.reply(text, digest)
                records[story][copy].append(record)
                grades[story][copy] = read_grades(record["reply"])
                if grades[story][copy] is not None:
                    break
            progress.add(1)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(judge.concurrency):
                workers.create_task(work())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        await client.close()
        progress.close()
    return grades, [record for story in records for attempts in story for record in attempts]
