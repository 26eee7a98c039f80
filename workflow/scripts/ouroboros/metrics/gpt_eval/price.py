"""The price of a judge's replies: an estimate beforehand, an upper bound, and the bill."""

from ouroboros.data.tokenizer import make_tokenizer

# Tokens, about: a reply is the JSON object alone, and a chat format adds some around a question.
REPLY, CHAT_FORMAT = 20, 8
MOST_OF_CHAT_FORMAT = 200


def price(judge, input_tokens: int, output_tokens: int) -> float:
    """The price of a request's tokens, in the currency of the judge's prices."""
    return (
        input_tokens * judge.price_per_million_input_tokens
        + output_tokens * judge.price_per_million_output_tokens
    ) / 1e6


def highest_price(judge, question: str) -> float:
    """An upper bound of one request's price: no token is shorter than a byte."""
    return price(judge, len(question.encode()) + MOST_OF_CHAT_FORMAT, judge.max_tokens)


def estimate(judge, questions: list[str]) -> dict:
    """Requests, tokens and money for one reply to each question, counted in GPT-2's tokens."""
    tokenizer = make_tokenizer({"source": "gpt2"}, ())[0]
    count = len(questions)
    input_tokens = sum(
        len(tokens.ids) + CHAT_FORMAT for tokens in tokenizer.encode_batch(questions)
    )
    output_tokens = count * REPLY
    return {
        "requests": count,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "money": price(judge, input_tokens, output_tokens),
    }


def bill(records: list[dict]) -> dict:
    """Requests, tokens (as the judge counted them) and money of replies, and the models that answered."""
    return {
        "requests": len(records),
        "input_tokens": sum(record["input_tokens"] or 0 for record in records),
        "output_tokens": sum(record["output_tokens"] or 0 for record in records),
        "money": sum(record["cost"] for record in records),
        "answered_by": sorted({record["model"] for record in records}),
    }
