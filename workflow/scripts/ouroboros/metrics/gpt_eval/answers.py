"""A server's answer of status 200, read: the text of a chat completion, and the tokens it counted."""

import json

from ouroboros.metrics.gpt_eval.refusals import Refusal


def read_answer(body: str) -> dict:
    """`reply` (without thoughts in fields or parts of their own), `finish_reason`, `model`, and two `tokens`.

    Tokens, of the input and of the output, are None where the server has not counted both. Raises
    Refusal where the answer is an error, or no chat completion.
    """
    try:
        decoded = json.loads(body)
    except ValueError:
        raise Refusal(200, body) from None
    try:
        choice = decoded["choices"][0]
        message = choice["message"] or {}
        reply = _text(message.get("content")) or _text(message.get("refusal"))
        error = choice.get("error") or decoded.get("error")
    except (LookupError, TypeError, AttributeError):
        error = decoded.get("error") if isinstance(decoded, dict) else None
        raise Refusal(200, error or decoded) from None
    if error and not reply:
        raise Refusal(200, error)
    return {
        "reply": reply,
        "finish_reason": choice.get("finish_reason"),
        "model": decoded.get("model"),
        "tokens": _tokens(decoded.get("usage")),
    }


def _text(content):
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(part if isinstance(part, str) else _text_of_part(part) for part in parts)


def _text_of_part(part):
    """Of parts of type `thinking` and their like nothing; one server marks thoughts by `thought: true`."""
    if not isinstance(part, dict) or part.get("type") not in ("text", "output_text"):
        return ""
    text = part.get("text")
    return text if isinstance(text, str) and not part.get("thought") else ""


def _tokens(usage):
    usage = usage if isinstance(usage, dict) else {}
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    counted = all(type(count) in (int, float) and 0 <= count < 1e12 for count in counts)
    return counts if counted and counts[0] else (None, None)  # no question has no tokens
