"""Statistics of a corpus: entropy, OOV words, repetition, tails, and drift from the initial corpus (paper 5.3)."""

import math

from ouroboros.pipeline.declarations import Field

OF = "corpus"
ORDER = 2
COUNT = "tokens"  # what its numbers are of
INPUTS = ("corpus", "initial", "tokenizer", "lexicon")
SETTINGS = {
    "lexicon_cut": {
        "type": "number", "minimum": -25, "maximum": 0, "default": -18.0,
        "description": "Words of spaCy's English table with a log-probability from here up are in the lexicon.",
    },
    "distinct_sequences": {
        "type": "integer", "minimum": 1, "default": 10000,
        "description": "Sequences that distinct-n is counted over (it falls with their number).",
    },
    "bigram_sequences": {
        "type": "integer", "minimum": 1, "default": 100000,
        "description": "Sequences, the first ones, whose pairs of neighbouring tokens are compared with the initial corpus's.",
    },
}  # fmt: skip
RESOURCES = {"mem_mb": 6000, "runtime": 120}
MORE, FREQUENT = "More about the text", "Most frequent tokens and words"


def entropy_error(measured: dict) -> float | None:
    """Standard error of the entropy, nats; None in measurements made before there was one."""
    return measured.get("entropy_error")


def surviving_error(measured: dict) -> float | None:
    """Standard error of the share of rare tokens that still occur: at most that of as many equal chances."""
    share, tokens = measured["tail"]["surviving"], measured["tail"].get("tokens")
    return math.sqrt(share * (1 - share) / tokens) if tokens else None


FIELDS = (
    Field("entropy", "entropy", "of token frequencies, nats", "{:.3f}", entropy_error, in_summary="{:.3f}"),
    Field("oov_words", "OOV words", "words outside the lexicon", "{:,}", in_summary="{:,}"),
    Field("distinct_tokens", "distinct tokens", "in the corpus", "{:,}"),
    Field("rep_4", "rep-4", "4-grams repeated in a sequence", "{:.1%}"),
    Field("run_share", "in runs", "tokens in runs of a repeated unit", "{:.2%}"),
    Field("tail.surviving", "rare tokens left", "of the initial corpus", "{:.1%}", surviving_error),
    Field("unigram_divergence.lost", "drift of tokens", "KL(initial || generated), nats", "{:.4f}"),
    Field("bigram_divergence.lost", "drift of pairs", "the same, of neighbouring tokens", "{:.4f}"),
    Field("unigram_divergence.gained", "reverse drift of tokens", "KL(generated || initial)", "{:.4f}", heading=MORE),
    Field("bigram_divergence.gained", "reverse drift of pairs", "the same, of neighbouring tokens", "{:.4f}", heading=MORE),
    Field("tail.mass", "rare tokens", "of the initial corpus, share of all tokens", "{:.2%}", heading=MORE),
    Field("top_token_share.10", "top 10", "share of the ten most frequent tokens", "{:.1%}", heading=MORE),
    Field("zipf.slope", "Zipf slope", "log frequency over log rank", "{:.3f}", heading=MORE),
    Field("distinct_n.2", "distinct-2", "different pairs, share of all", "{:.1%}", heading=MORE),
    Field("distinct_n.4", "distinct-4", "the same, of four tokens", "{:.1%}", heading=MORE),
    Field("longest_run.tokens", "longest run", "of a repeated unit, tokens", "{:,}", heading=MORE),
    Field("story_length.mean", "story length", "mean, tokens", "{:,.1f}", heading=MORE),
    Field("end_of_text_share", "ends", "end-of-text, share of all tokens", "{:.2%}", heading=MORE),
    Field("most_frequent_tokens", "tokens", "most frequent first", "", heading=FREQUENT),
    Field("most_frequent_oov_words", "OOV words", "most frequent first", "", heading=FREQUENT),
    Field("distinct_oov_words", "distinct OOV words", "", "{:,}", heading=FREQUENT),
)  # fmt: skip
