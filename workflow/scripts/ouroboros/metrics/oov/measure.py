"""Count the OOV words of a corpus, whatever their number of tokens."""

from ouroboros.data.corpus import row_groups
from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.metrics.text.lexicon import read_lexicon
from ouroboros.metrics.text.oov_words import WordCounter
from ouroboros.metrics.text.statistics import pieces


def measure(inputs, settings, device, batch) -> dict:
    """The contents of oov.json; computed on the CPU, a part of the corpus at a time."""
    tokenizer, _ = read_tokenizer(inputs.tokenizer)
    words = WordCounter(tokenizer, one_token=True)
    for rows, _ in pieces(row_groups(inputs.corpus)):
        words.add(rows)
    return words.oov(read_lexicon(inputs.clean_lexicon))
