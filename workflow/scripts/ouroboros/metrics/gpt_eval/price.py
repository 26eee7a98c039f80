"""What a judge's replies cost: an estimate before the first request, and a bound for each."""

from ouroboros.data.tokenizer import make_tokenizer

REPLY = 20  # tokens of a reply, about: the JSON object alone
FRAME = 8  # tokens that a chat format puts around a question, about
LARGEST_FRAME = 200


def money(judge, input_tokens: int, output_tokens: int) -> float:
    """The price of so many tokens, in the currency of the judge's prices."""
    return (
        input_tokens * judge.price_per_million_input_tokens
        + output_tokens * judge.price_per_million_output_tokens
    ) / 1e6


def at_most(judge, question: str) -> float:
    """A bound on one request's price: no token is shorter than a byte."""
    return money(judge, len(question.encode()) + LARGEST_FRAME, judge.max_tokens)


def estimate(judge, questions: list[str]) -> dict:
    """Requests, tokens and money for one reply to each question, by GPT-2's tokens."""
    tokenizer = make_tokenizer({"source": "gpt2"}, ())[0]
    count = len(questions)
    input_tokens = sum(len(tokens.ids) + FRAME for tokens in tokenizer.encode_batch(questions))
    output_tokens = count * REPLY
    return {
        "requests": count,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "money": money(judge, input_tokens, output_tokens),
    }


def bill(records: list[dict]) -> dict:
    """What replies took: requests, tokens (as the judge counted them), money; and who answered."""
    return {
        "requests": len(records),
        "input_tokens": sum(record["input_tokens"] or 0 for record in records),
        "output_tokens": sum(record["output_tokens"] or 0 for record in records),
        "money": sum(record["cost"] for record in records),
        "answered_by": sorted({record["model"] for record in records}),
    }
