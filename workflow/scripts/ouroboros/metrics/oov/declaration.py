"""OOV words of a corpus, a second count: words of any number of tokens, by a lexicon free of noise."""

from ouroboros.metrics.text.declaration import FREQUENT
from ouroboros.pipeline.declarations import Field

OF = "corpus"
ORDER = 3
COUNT = "words"  # what its numbers are of
INPUTS = ("corpus", "tokenizer", "clean_lexicon")
SETTINGS = {}
RESOURCES = {"mem_mb": 6000, "runtime": 120}
FIELDS = (
    Field(
        "oov_words", "all OOV words", "of one token too, outside the clean lexicon", "{:,}",
        in_summary="{:,}",
    ),
    Field("oov_share", "share of all OOV words", "in all words", "{:.2%}"),
    Field("most_frequent_oov_words", "all OOV words", "most frequent first", "", heading=FREQUENT),
    Field("distinct_oov_words", "distinct, of all OOV words", "", "{:,}", heading=FREQUENT),
)  # fmt: skip
