"""Requests to the judge. Transient errors are retried; permanent ones raise UserError.

The API key goes into requests and nowhere else: it is removed from whatever a server answers.
"""

import asyncio
import logging

import openai

from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.price import highest_price, price
from ouroboros.metrics.gpt_eval.rate_limit import RateLimit, retry_after

log = logging.getLogger("ouroboros")

TRANSIENT = frozenset({408, 409, 425, 429})  # and all from 500 up
FIRST_PAUSE = 1.0  # seconds after a failure, doubled with each one in a row
LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 900.0  # seconds that a server may ask to wait


class JudgeClient:
    """Sends questions to `judge` with the API key `key` (empty for a server without one).

    Replies are appended to `replies`, and their cost stays within the judge's budget.
    """

    def __init__(self, judge, key: str, replies):
        self.judge, self.key, self.replies = judge, key, replies
        self.rate_limit = RateLimit(judge.requests_per_minute)
        self.in_flight = {}  # request -> the most that it can cost
        self.client = openai.AsyncOpenAI(
            base_url=judge.base_url, api_key=key or "none", max_retries=0, timeout=None
        )

    async def close(self):
        """Wait for the replies in flight, which are paid for, and close the connection."""
        await asyncio.gather(*self.in_flight, return_exceptions=True)
        await self.client.close()

    async def reply(self, question: str, digest: str) -> dict:
        """Ask a question; the record of the reply, which is then on disk under `digest`.

        Raises UserError when the judge refuses, keeps failing, or could cost more than its budget.
        """
        for retry in range(self.judge.max_retries + 1):
            await self.rate_limit.wait()
            most = self._within_budget(question)
            request = asyncio.ensure_future(self._request(question, digest, most))
            self.in_flight[request] = most
            request.add_done_callback(self.in_flight.pop)
            # Looked at here too: where another request ends the job, nobody awaits this one.
            request.add_done_callback(lambda done: done.cancelled() or done.exception())
            pause = None
            try:
                return await asyncio.shield(request)
            except openai.APIStatusError as error:
                failure = self._refusal(error)
                pause = retry_after(error.response.headers)
            except (openai.APIError, TimeoutError, ValueError) as error:
                failure = self._no_answer(error)
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
                self.replies.append({"key": None, "lost": self._no_answer(error), "cost": most})
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
            "reply": self._without_key(text),
            "finish_reason": self._without_key(choice.finish_reason),
            "model": self._without_key(response.model),
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "cost": price(self.judge, *tokens) if usage else most,
        }

    def _within_budget(self, question):
        most, budget = highest_price(self.judge, question), self.judge.budget
        if self.replies.spent + sum(self.in_flight.values()) + most > budget:
            raise UserError(
                f"The budget of {budget:g} of the judge {self.judge.model} is used up: the next "
                f"request could cost more than is left of it ({self.replies.spent:.6g} is spent). "
                "All replies so far are kept: raise `budget` and run again to go on from here."
            )
        return most

    def _pause(self, failure, retry, seconds):
        """No request for `seconds`, which the server asked for, or else for longer with each retry."""
        if seconds is None:
            seconds = min(FIRST_PAUSE * 2**retry, LONGEST_PAUSE)
        if seconds > LONGEST_RETRY_AFTER:
            raise UserError(
                f"The judge at {self.judge.base_url} wants no request for {seconds:.0f} seconds "
                f"({failure}). All replies so far are kept: run the same command again after that."
            )
        log.warning("The judge: %s. Next request in %.1f s.", failure, seconds)
        self.rate_limit.pause(seconds)

    def _refusal(self, error):
        """The text of an error status; UserError where a retry is of no use."""
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
        message = self._without_key(error.message).removeprefix(f"Error code: {status} - ")
        answer = f"{status}: {message[:300]}"
        if error.code == "insufficient_quota":
            raise UserError(
                f"{where} says that the account has no credit left ({answer})."
            ) from None
        if status not in TRANSIENT and status < 500:
            raise UserError(
                f"{where} refused the request ({answer}). Check `base_url`, `model` and the other "
                "settings of the judge in the configuration; all replies so far are kept."
            ) from None
        return answer

    def _no_answer(self, error):
        if isinstance(error, TimeoutError):
            return f"no answer within {self.judge.timeout:g} s"
        return self._without_key(str(error) or type(error).__name__)[:300].rstrip(".")

    def _without_key(self, text):
        return str(text).replace(self.key, "[key]") if self.key else str(text)


def _may_be_billed(error):
    """True where the judge may charge for a request whose answer was lost."""
    connected = type(error.__cause__).__name__ not in ("ConnectError", "ConnectTimeout")
    return not isinstance(error, openai.APIStatusError) and connected
