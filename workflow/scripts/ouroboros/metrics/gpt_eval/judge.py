"""Completions graded by a judge, a chat model at an OpenAI-compatible endpoint (paper 5.3.3, step 2)."""

import asyncio
import hashlib
import json
import logging
import os
import re
from collections import Counter
from dataclasses import dataclass

from ouroboros.errors import UserError
from ouroboros.jobs.progress import Progress
from ouroboros.metrics.gpt_eval.client import JudgeClient
from ouroboros.metrics.gpt_eval.grades import question, read_grades
from ouroboros.metrics.gpt_eval.price import estimate
from ouroboros.metrics.gpt_eval.refusals import QuestionRefused

log = logging.getLogger("ouroboros")

# Names that servers have for why a reply ended: the limit of tokens, and a filter.
CUT = re.compile("length|limit|max_", re.IGNORECASE)
FILTERED = re.compile("filter|safety|sensitive|refusal|prohibited|guardrail", re.IGNORECASE)
MOST_REASONS = 5  # that are listed at the end


@dataclass(frozen=True)
class Judge:
    """An entry of `judges` in the configuration."""

    base_url: str
    model: str
    temperature: float | None
    max_tokens: int
    max_tokens_key: str | None
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
        most = None if self.max_tokens_key is None else self.max_tokens
        settings = [self.base_url, self.model, temperature, most]
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

    A completion's grades are None where none of `attempts` replies could be read, and where the judge
    refuses it alone; why is logged. `replies` is an open log of replies; the judge is asked only for
    what is not in it. Raises UserError when the judge refuses, keeps failing, or costs more than its
    budget.
    """
    texts = questions(stories)
    missing = [
        text for story in texts for copy, text in enumerate(story)
        if replies.get(judge.digest(text, copy, 0)) is None
    ]  # fmt: skip
    if missing:
        _check_budget(judge, missing, replies.spent)
    client = JudgeClient(judge, read_key(judge.key_variable), replies)
    grades, records, ungraded = asyncio.run(_grade(judge, client, texts, replies))
    if ungraded:
        log.warning(
            "%d of %d completions have no grades. %s.",
            ungraded.total(), sum(map(len, texts)),
            "; ".join(f"{count}: {why}" for why, count in ungraded.most_common(MOST_REASONS)),
        )  # fmt: skip
    return grades, records


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


async def _grade(judge, client, texts, replies):
    grades = [[None] * len(story) for story in texts]
    records = [[[] for _ in story] for story in texts]
    places = [(story, copy) for story, each in enumerate(texts) for copy in range(len(each))]
    waiting = iter(places)
    progress = Progress("gpt_eval", len(places), "completions")
    ungraded = Counter()  # why -> completions

    async def work():
        for story, copy in waiting:
            why = await ask_about(story, copy)
            if grades[story][copy] is None:
                if why not in ungraded:
                    log.warning("A completion has no grades: %s.", why)
                ungraded[why] += 1
            progress.add(1)

    async def ask_about(story, copy):
        """Fill in the grades of a completion; why it has none, if so."""
        text, why = texts[story][copy], None
        for attempt in range(judge.attempts):
            digest = judge.digest(text, copy, attempt)
            record = replies.get(digest)
            if record is None:
                if why is not None and _was_stopped(records[story][copy][-1]):
                    return why  # another one would be stopped as well, at the same price
                try:
                    record = await client.reply(text, digest)
                except QuestionRefused as refusal:
                    return f"the judge refuses to grade it ({refusal})"
            records[story][copy].append(record)
            grades[story][copy] = read_grades(record["reply"], cut=_was_stopped(record))
            if grades[story][copy] is not None:
                return None
            why = _why_ungraded(record)
        return why

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(judge.concurrency):
                workers.create_task(work())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        await client.close()
        progress.close()
    records = [record for story in records for attempts in story for record in attempts]
    return grades, records, ungraded


def _was_stopped(record):
    return bool(CUT.search(record["finish_reason"]) or FILTERED.search(record["finish_reason"]))


def _why_ungraded(record):
    if CUT.search(record["finish_reason"]):
        return (
            "the reply was cut off by the limit of tokens before it said any (raise `max_tokens` of "
            "the judge; or, if it ended sooner than that, the context of its server)"
        )
    if FILTERED.search(record["finish_reason"]):
        return f"the judge's filter stopped the reply (finish_reason {record['finish_reason']})"
    if not record["reply"].strip():
        return "the reply is empty"
    return "the reply could not be read"
