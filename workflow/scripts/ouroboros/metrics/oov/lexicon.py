"""The clean lexicon: words of spaCy's table of probabilities that are English words or names.

The table counts what people typed, so it holds "teh", "eee" and "zzz" too.
"""

import re

from ouroboros.metrics.text.lexicon import APOSTROPHE, english_table

LEAST = -18.0  # log-probability from which on a word counts, as in the paper's count by default
LETTERS = re.compile("[A-Za-z]+")
REPETITION = re.compile(r"(.)\1*|.*(.)\2\2.*")  # one letter alone or repeated, or thrice in a row
WORDS_OF_ONE_LETTER = {"a", "i", "o"}
ALSO = {"anybody", "everybody", "shall"}  # function words that neither list has


def clean_lexicon() -> list[str]:
    """The clean lexicon: lower-cased words of the letters a to z, sorted, each once.

    In are the words of the table that are names (with a capital as frequent as without, or more), or
    that are WordNet's, as they are or inflected, and not most frequent in capitals, as abbreviations
    are; stop words; and the parts of contractions ("didn"). Out is repetition: one letter, but a, i
    and o, alone or repeated, and words with a letter three times in a row.
    Takes seconds and half a gigabyte. Raises UserError where spaCy's data is not installed.
    """
    in_wordnet = _wordnet()
    words = _function_words()
    for word, (plain, capital, capitals) in _spellings().items():
        if capital >= max(plain, LEAST) or (max(plain, capital) >= capitals and in_wordnet(word)):
            words.add(word)
    return sorted(
        word for word in words if word in WORDS_OF_ONE_LETTER or not REPETITION.fullmatch(word)
    )


def _spellings():
    """Word -> log-probabilities of "lily", "Lily" and "LILY"; -inf below LEAST."""
    found = {}
    for word, log_probability in english_table("lexeme_prob").items():
        if log_probability >= LEAST and LETTERS.fullmatch(word):
            spelling = 0 if word.islower() else 2 if word.isupper() else 1
            of_word = found.setdefault(word.lower(), [float("-inf")] * 3)
            of_word[spelling] = max(of_word[spelling], log_probability)
    return found


def _function_words():
    """Stop words and the parts of contractions, of which WordNet has few."""
    from spacy.lang.en.stop_words import STOP_WORDS
    from spacy.lang.en.tokenizer_exceptions import TOKENIZER_EXCEPTIONS

    contractions = (APOSTROPHE.split(word) for word in TOKENIZER_EXCEPTIONS)
    parts = {part for parts in contractions if len(parts) > 1 for part in parts}
    return {word.lower() for word in STOP_WORDS | ALSO | parts if LETTERS.fullmatch(word)}


def _wordnet():
    """A function: is this a word of WordNet, or an inflected one?"""
    lemmas = {kind: set(words) for kind, words in english_table("lemma_index").items()}
    whole = set(english_table("lemma_lookup")).union(
        *lemmas.values(), *english_table("lemma_exc").values()
    )
    endings = [
        (ending, of_lemma, lemmas[kind])
        for kind, rules in english_table("lemma_rules").items()
        if kind in lemmas
        for ending, of_lemma in rules
    ]

    def is_word(word):
        return word in whole or any(
            word.endswith(ending) and word.removesuffix(ending) + of_lemma in known
            for ending, of_lemma, known in endings
        )

    return is_word
