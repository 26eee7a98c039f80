"""Requests to a judge, and what can go wrong with them.

What fails in passing is tried again at the judge's pace; what no waiting mends ends the job in words.
The key goes into requests and nowhere else: it is taken out of whatever a server says.
"""

import asyncio
import logging

import openai

from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.price import at_most, money
from ouroboros.metrics.gpt_eval.rate_limit import Pace, pause_asked

log = logging.getLogger("ouroboros")

TRANSIENT = frozenset({408, 409, 425, 429})  # and all from 500 up
FIRST_PAUSE = 1.0  # seconds after a failure, doubled with each one in a row
LONGEST_PAUSE = 60.0
LONGEST_ASKED = 900.0  # seconds that a server may ask to wait


class JudgeClient:
    """Asks `judge` with the API key `key` (empty for a server without one)."""

    def __init__(self, judge, key: str, replies):
        self.judge, self.key, self.replies = judge, key, replies
        self.pace = Pace(judge.requests_per_minute)
        self.flying = {}  # requests on their way -> what each costs at most
        self.client = openai.AsyncOpenAI(
            base_url=judge.base_url, api_key=key or "none", max_retries=0, timeout=None
        )

    async def close(self):
        """Let what is on its way arrive; it is paid for."""
        await asyncio.gather(*self.flying, return_exceptions=True)
        await self.client.close()

    async def reply(self, question: str, digest: str) -> dict:
        """The record of the reply to a question, which is on disk under `digest` by then.

        Raises UserError when the judge refuses, keeps failing, or could cost more than its budget.
        """
        for retry in range(self.judge.max_retries + 1):
            await self.pace.turn()
            most = self._within_budget(question)
            request = asyncio.ensure_future(self._request(question, digest, most))
            self.flying[request] = most
            request.add_done_callback(self.flying.pop)
            pause = None
            try:
                return await asyncio.shield(request)
            except openai.APIStatusError as error:
                failure = self._status(error)
                pause = pause_asked(error.response.headers)
            except (openai.APIError, TimeoutError, ValueError) as error:
                failure = self._lost(error)
            self._pause(failure, retry, pause)
        raise UserError(
            f"The judge at {self.judge.base_url} failed {retry + 1} times in a row, at last with: "
            f"{failure}. All replies so far are kept: run the same command again when it is well."
        )

    async def _request(self, question, digest, most):
        judge, settings = self.judge, {self.judge.max_tokens_key: self.judge.max_tokens}
        if judge.temperature is not None:
            settings["temperature"] = judge.temperature
        messages = [{"role": "user", "content": question}]
        try:
            async with asyncio.timeout(judge.timeout):
                response = await self.client.chat.completions.create(
                    model=judge.model, messages=messages, **settings
                )
            record = self._record(response, digest, most)
        except (TimeoutError, ValueError, openai.APIError) as error:
            if _may_be_billed(error):
                self.replies.append({"key": None, "lost": self._lost(error), "cost": most})
            raise
        self.replies.append(record)
        return record

    def _record(self, response, digest, most):
        try:
            choice = response.choices[0]
            text = choice.message.content or choice.message.refusal or ""
        except (AttributeError, IndexError, TypeError):
            raise ValueError("what it sent is no chat completion") from None
        usage = getattr(response, "usage", None)
        tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
        return {
            "key": digest,
            "reply": self._clean(text),
            "finish_reason": self._clean(choice.finish_reason),
            "model": self._clean(response.model),
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "cost": money(self.judge, *tokens) if usage else most,
        }

    def _within_budget(self, question):
        most, budget = at_most(self.judge, question), self.judge.budget
        if self.replies.spent + sum(self.flying.values()) + most > budget:
            raise UserError(
                f"The budget of {budget:g} of the judge {self.judge.model} is used up: the next "
                f"request could cost more than is left of it ({self.replies.spent:.6g} is spent). "
                "All replies so far are kept: raise `budget` and run again to go on from here."
            )
        return most

    def _pause(self, failure, retry, asked):
        seconds = min(FIRST_PAUSE * 2**retry, LONGEST_PAUSE) if asked is None else asked
        if seconds > LONGEST_ASKED:
            raise UserError(
                f"The judge at {self.judge.base_url} wants no request for {seconds:.0f} seconds "
                f"({failure}). All replies so far are kept: run the same command again after that."
            )
        log.warning("The judge: %s. Next request in %.1f s.", failure, seconds)
        self.pace.pause(seconds)

    def _status(self, error):
        """An answer with an error status, in words; UserError where asking again is of no use."""
        status, where = error.status_code, f"The judge at {self.judge.base_url}"
        if status == 401:
            variable = self.judge.key_variable
            reason = (
                f"the key in the environment variable {variable} is wrong"
                if self.key
                else f"there is no key in the environment variable {variable}"
                if variable
                else "it wants a key, but `key_variable` of the judge is null"
            )
            raise UserError(f"{where} refused the request (401): {reason}.") from None
        message = self._clean(error.message).removeprefix(f"Error code: {status} - ")
        said = f"{status}: {message[:300]}"
        if error.code == "insufficient_quota":
            raise UserError(f"{where} says that the account has no credit left ({said}).") from None
        if status not in TRANSIENT and status < 500:
            raise UserError(
                f"{where} refused the request ({said}). Check `base_url`, `model` and the other "
                "settings of the judge in the configuration; all replies so far are kept."
            ) from None
        return said

    def _lost(self, error):
        if isinstance(error, TimeoutError):
            return f"no answer within {self.judge.timeout:g} s"
        return self._clean(str(error) or type(error).__name__)[:300].rstrip(".")

    def _clean(self, text):
        return str(text).replace(self.key, "[key]") if self.key else str(text)


def _may_be_billed(error):
    """Whether the judge may have worked on a request whose answer was lost."""
    connected = type(error.__cause__).__name__ not in ("ConnectError", "ConnectTimeout")
    return not isinstance(error, openai.APIStatusError) and connected
