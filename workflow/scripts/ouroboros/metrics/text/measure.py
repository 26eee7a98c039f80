"""Measure the statistics of a corpus."""

from ouroboros.data.corpus import row_groups
from ouroboros.data.tokenizer import read_tokenizer, vocabulary_size
from ouroboros.metrics.text.divergence import drift
from ouroboros.metrics.text.lexicon import read_lexicon
from ouroboros.metrics.text.statistics import text_statistics


def measure(inputs, settings, device, batch) -> dict:
    """The contents of text.json; computed on the CPU, a part of the corpus at a time."""
    tokenizer, end_of_text = read_tokenizer(inputs.tokenizer)
    statistics = text_statistics(
        row_groups(inputs.corpus), tokenizer, end_of_text, read_lexicon(inputs.lexicon),
        settings["distinct_sequences"],
    )  # fmt: skip
    return statistics | drift(
        lambda: row_groups(inputs.corpus), lambda: row_groups(inputs.initial),
        settings["bigram_sequences"], vocabulary_size(tokenizer),
    )  # fmt: skip
