"""What truly follows a beginning of a story: the grammar knows it."""

import math

import numpy as np

from ouroboros.data.grammar import StoryGrammar


def next_tokens(grammar: StoryGrammar, tokenizer, contexts: list[tuple[int, ...]]) -> np.ndarray:
    """p(v | x) of every context x, by all ways in which the grammar's stories begin: (contexts, vocabulary).

    For tokenizers that never join characters before a space with those after it, as a byte-level BPE.
    """
    texts = [tokenizer.decode(context, skip_special_tokens=False) for context in contexts]
    longest = 1 + max(map(len, contexts))

    def settled(text):
        """The tokens that a text begins with whatever follows, once they are enough; else None."""
        if all(not text.startswith(begun) and not begun.startswith(text) for begun in texts):
            return ()
        whole = text[: text.rfind(" ")] if " " in text else ""
        tokens = tokenizer.encode(whole, add_special_tokens=False).ids
        return tokens[:longest] if len(tokens) >= longest else None

    weights = np.zeros((len(contexts), tokenizer.get_vocab_size()))
    rows = {context: row for row, context in enumerate(contexts)}
    for tokens, log_probability in grammar.beginnings(settled):
        for length in range(1, len(tokens)):
            row = rows.get(tuple(tokens[:length]))
            if row is not None:
                weights[row, tokens[length]] += math.exp(log_probability)
    return weights / weights.sum(1, keepdims=True)
