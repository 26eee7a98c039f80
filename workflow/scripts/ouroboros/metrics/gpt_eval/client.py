"""Requests to the judge. Transient errors are retried; permanent ones raise UserError.

The API key goes into requests and nowhere else: it is removed from whatever a server answers.
"""

import asyncio
import logging
import re
from urllib.parse import urlsplit

import openai

from ouroboros.errors import UserError
from ouroboros.metrics.gpt_eval.answers import read_answer
from ouroboros.metrics.gpt_eval.connections import (
    cause,
    is_connected,
    proxy_to,
    what_waiting_does_not_mend,
)
from ouroboros.metrics.gpt_eval.price import highest_price, price
from ouroboros.metrics.gpt_eval.rate_limit import RateLimit, retry_after
from ouroboros.metrics.gpt_eval.refusals import QuestionRefused, Refusal

log = logging.getLogger("ouroboros")

# 200: an error inside an answer, of no status of its own. And all from 500 up.
TRANSIENT = frozenset({200, 408, 409, 425, 429})
OF_THE_SETTINGS = frozenset({400, 404, 405, 422})
FIRST_PAUSE = 1.0  # seconds after a failure, doubled with each one in a row
LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 900.0  # seconds that a server may ask to wait
LONGEST_WORDS = 500  # characters of what a server says

MASKED_KEY = re.compile(r"[\w-]+\*{3,}[\w-]*")  # as servers show one that they do not know


class JudgeClient:
    """Sends questions to `judge` with the API key `key` (empty for a server without one).

    Replies are appended to `replies`, and their cost stays within the judge's budget. Raises UserError
    where the judge's URL, or the environment's proxies and certificates, will not do.
    """

    def __init__(self, judge, key: str, replies):
        self.judge, self.key, self.replies = judge, key, replies
        self.rate_limit = RateLimit(judge.requests_per_minute)
        self.in_flight = {}  # request -> the most that it can cost
        self.answered = False  # from then on a server's name, certificate and proxy are right
        try:
            urlsplit(judge.base_url).port  # noqa: B018 - it raises where there is no such port
            self.proxy = proxy_to(judge.base_url)
            self.client = openai.AsyncOpenAI(
                base_url=judge.base_url, api_key=key or "none", max_retries=0, timeout=None
            )
        except Exception as error:  # whatever the client raises about the environment
            raise UserError(
                f"The judge at {judge.base_url} cannot be asked: {self._said(error)}. Check `base_url`, "
                "and HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE in the environment."
            ) from None
        through = f" (through the proxy {self.proxy})" if self.proxy else ""
        self.where = f"The judge at {judge.base_url}{through}"

    async def close(self):
        """Wait for the replies in flight, which are paid for, and close the connection."""
        await asyncio.gather(*self.in_flight, return_exceptions=True)
        await self.client.close()

    async def reply(self, question: str, digest: str) -> dict:
        """Ask a question; the record of the reply, which is then on disk under `digest`.

        Raises UserError when the judge refuses, keeps failing, or could cost more than its budget, and
        QuestionRefused when it refuses this question alone.
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
            except Refusal as refusal:
                failure = self._refusal(refusal)
                pause = retry_after(refusal.headers)
            except (openai.APIError, TimeoutError) as error:
                failure = self._no_answer(error)
            self._pause(failure, retry, pause)
        raise UserError(
            f"{self.where} failed {retry + 1} times in a row, at last with: {failure}. All replies so "
            "far are kept: run the same command again when it is well."
        )

    async def _request(self, question, digest, most):
        judge, settings = self.judge, {}
        if judge.max_tokens_key is not None:
            settings[judge.max_tokens_key] = judge.max_tokens
        if judge.temperature is not None:
            settings["temperature"] = judge.temperature
        messages = [{"role": "user", "content": question}]
        try:
            async with asyncio.timeout(judge.timeout):
                response = await self.client.chat.completions.with_raw_response.create(
                    model=judge.model, messages=messages, **settings
                )
            self.answered = True
            record = self._record(response.text, digest, most)
        except openai.APIStatusError as error:
            self.answered = True
            body = error.body or error.response.reason_phrase
            raise Refusal(error.status_code, body, error.response.headers) from None
        except (Refusal, TimeoutError, openai.APIError) as error:
            if is_connected(error):  # it may be charged for
                self.replies.append({"key": None, "lost": self._why(error), "cost": most})
            raise
        self.replies.append(record)
        return record

    def _record(self, body, digest, most):
        answer = read_answer(body)
        tokens = answer["tokens"]
        return {
            "key": digest,
            "reply": self._without_key(answer["reply"]),
            "finish_reason": self._without_key(answer["finish_reason"]),
            "model": self._without_key(answer["model"]),
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "cost": most if None in tokens else price(self.judge, *tokens),
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
                f"{self.where} wants no request for {seconds:.0f} seconds ({failure}). All replies so "
                "far are kept: run the same command again after that."
            )
        log.warning("%s: %s. Next request in %.1f s.", self.where, failure, seconds)
        self.rate_limit.pause(seconds)

    def _refusal(self, refusal):
        """The words of a refusal; QuestionRefused or UserError where a retry is of no use."""
        status, answer = refusal.status, self._why(refusal)
        refused = f"{self.where} refused the request ({answer})."
        if status == 401:
            variable = self.judge.key_variable
            sent = (
                f"the key in the environment variable {variable}"
                if self.key
                else f"no key: there is none in the environment variable {variable}"
                if variable
                else "no key, since `key_variable` of the judge is null"
            )
            raise UserError(f"{refused} It was sent {sent}.") from None
        if refusal.is_of_credit():
            raise UserError(
                f"{self.where} says that the account has no credit left ({answer})."
            ) from None
        if refusal.is_of_one_question():
            raise QuestionRefused(answer) from None
        if status in TRANSIENT or status >= 500:
            return answer
        advice = "All replies so far are kept."
        if status in OF_THE_SETTINGS:
            advice = (
                "Check `base_url`, `model` and the other settings of the judge in the configuration; "
                "all replies so far are kept."
            )
        if re.search("max_(completion_)?tokens", answer):
            advice += (
                " `max_tokens_key` is the name under which `max_tokens` is sent; null sends none."
            )
        raise UserError(f"{refused} {advice}") from None

    def _no_answer(self, error):
        """Why there is no answer; UserError where a retry is of no use."""
        reason = None if self.answered else what_waiting_does_not_mend(error, self.proxy)
        if reason:
            raise UserError(f"{self.where} cannot be asked: {self._said(reason)}.") from None
        return self._why(error)

    def _why(self, error):
        if isinstance(error, TimeoutError):
            return f"no answer within {self.judge.timeout:g} s"
        return self._said(error.answer() if isinstance(error, Refusal) else cause(error))

    def _said(self, text):
        """The words of a server or proxy: not too long, and without the key, also where it is masked there."""
        return MASKED_KEY.sub("[key]", self._without_key(text))[:LONGEST_WORDS].rstrip(".")

    def _without_key(self, text):
        return str(text).replace(self.key, "[key]") if self.key else str(text)
