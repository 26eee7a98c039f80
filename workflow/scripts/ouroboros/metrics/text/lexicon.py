"""The word list that defines OOV (out-of-vocabulary) words: spaCy's English words (paper 5.3.2)."""

import re
from collections.abc import Iterable
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.storage.atomic import write_text

APOSTROPHE = re.compile("['\u2019]")


def lower_cased(text: str) -> str:
    """`text` in lower case, letter by letter.

    Unlike `str.lower`, which looks at a Greek sigma's neighbours, this makes a word of tokens the
    same whether the tokens or the word are lower-cased.
    """
    return "".join(map(str.lower, text))


def build_lexicon(min_log_probability: float) -> list[str]:
    """Words of spaCy's English table `lexeme_prob`, lower-cased, sorted, each once.

    A word is letters, with apostrophes inside it at most. It counts where its log-probability
    (natural logarithm, of any of its spellings in capitals) is `min_log_probability` or more.
    Takes seconds and half a gigabyte. Raises UserError where no word is left or spaCy's data is
    not installed.
    """
    table = english_table("lexeme_prob")
    words = {
        lower_cased(word)
        for word, log_probability in table.items()
        if log_probability >= min_log_probability and _is_word(word)
    }
    if not words:
        raise UserError(
            f"No English word has a log-probability of {min_log_probability} or more; the most "
            f"frequent one has {max(table.values()):.2f}. Lower `lexicon_cut`, to -18 or so."
        )
    return sorted(words)


def write_lexicon(words: Iterable[str], path):
    """Write one word per line, UTF-8."""
    write_text(path, "".join(f"{word}\n" for word in words))


def read_lexicon(path) -> frozenset[str]:
    """Read the words that `write_lexicon` wrote."""
    return frozenset(Path(path).read_text(encoding="utf-8").split("\n")[:-1])


def english_table(name: str) -> dict:
    """One of spaCy's English tables, read by spaCy's loader from the file that spaCy registers.

    `lexeme_prob` has word -> log-probability; `spacy.lookups.load_lookups` holds the same numbers,
    but has replaced the words with hashes. Raises UserError where spaCy's data is not installed.
    """
    try:
        from spacy.util import load_language_data, registry

        return load_language_data(registry.lookups.get("en")[name])
    except (ImportError, KeyError, ValueError) as error:
        raise UserError(
            "spaCy's English word table is not installed (packages spacy and spacy-lookups-data); "
            "`make install` installs it."
        ) from error


def _is_word(text):
    return all(part.isalpha() for part in APOSTROPHE.split(text))
