"""A server's errors: what they say, and whether they are about one question, the settings or the account."""

import json
import re

# Servers have neither a status nor a code in common for what they refuse one question for.
FILTERED = (
    r"content[ _-]?(filter|policy|management|moderation)|\bfiltered\b|\bflagged\b|moderation|guardrail"
    r"|safety|responsible ?ai|inspection_failed|inappropriate content|(high|exists) risk"
    r"|usage (polic|guideline)"
)
TOO_LONG = (
    r"context[ _-]?(length|window|size)|maximum context|too[ _]long|above_max_length"
    r"|too many (input |prompt )?tokens|(input|prompt) (length|is too large)|reduce the length"
    r"|maximum (input|prompt|sequence|number of tokens)|tokens exceed|must have less than \d+ tokens"
    r"|`?inputs`? tokens \+"
)
OF_ONE_QUESTION = re.compile(f"{FILTERED}|{TOO_LONG}", re.IGNORECASE)
OF_THE_LIMIT = re.compile(r"max_(completion_)?tokens\b.{0,20} too large", re.IGNORECASE)
NEVER_OF_ONE_QUESTION = frozenset({401, 404, 407, 429, 503})
TOO_LARGE = 413

MARKUP = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL)


class QuestionRefused(Exception):
    """The judge refuses one question, which is too long or stopped by a filter; the text has its words."""


class Refusal(Exception):
    """An error for an answer: its HTTP status and its body, decoded where it is JSON.

    An error inside an answer of status 200 has the status that it names, if it names one.
    """

    def __init__(self, status: int, body, headers=()):
        super().__init__()  # no words: a traceback must not show what may hold the key
        code = str(self._of(body, "code"))
        self.status = int(code) if status == 200 and re.fullmatch("[45][0-9]{2}", code) else status
        self.body, self.headers = body, dict(headers)

    def answer(self) -> str:
        """The status, and what the server says."""
        status = "no chat completion" if self.status == 200 else self.status
        return f"{status}: {words(self.body)}"

    def is_of_one_question(self) -> bool:
        """True where the judge refuses this question alone and may take others."""
        said = json.dumps(self.body, ensure_ascii=False)
        if self.status in NEVER_OF_ONE_QUESTION or OF_THE_LIMIT.search(said):
            return False
        return self.status == TOO_LARGE or bool(OF_ONE_QUESTION.search(said))

    def is_of_credit(self) -> bool:
        """True where the account has no credit left."""
        return "insufficient_quota" in (self._of(self.body, "code"), self._of(self.body, "type"))

    @staticmethod
    def _of(body, key):
        return body.get(key) if isinstance(body, dict) else None


def words(body) -> str:
    """The message in the body of an error, in whichever of the usual shapes."""
    if isinstance(body, dict):
        said = [body[key] for key in ("error", "message", "detail", "msg") if body.get(key)][:1]
        passed_on = body.get("metadata")  # by a server that asks another one
        if isinstance(passed_on, dict) and passed_on.get("raw"):
            said.append(passed_on["raw"])
        return ": ".join(map(words, said)) if said else json.dumps(body, ensure_ascii=False)
    if not isinstance(body, str):
        return json.dumps(body, ensure_ascii=False)
    if body.lstrip().startswith("<"):
        body = MARKUP.sub(" ", body)
    return " ".join(body.split()) or "without a word"
