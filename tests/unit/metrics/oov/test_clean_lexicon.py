"""The clean lexicon holds English words and names, and no repetition, abbreviation or misspelling."""

import sys

import pytest

from ouroboros.errors import UserError
from ouroboros.metrics.oov import lexicon
from ouroboros.metrics.oov.lexicon import clean_lexicon

TABLES = {
    "lexeme_prob": {
        "Timmy": -13.0, "timmy": -13.0, "teh": -12.0, "Teh": -12.1, "McDonald": -14.0,  # names or not
        "frog": -12.0, "FROGS": -15.0, "frogs": -15.0, "barked": -15.0, "gone": -9.0, "taking": -10.0,
        "tv": -12.0, "TV": -11.0, "IMGUR": -11.0, "Rare": -18.001, "shy": -18.0,
        "e": -9.0, "E": -8.0, "I": -3.0, "ee": -9.0, "Eee": -9.0, "shhh": -12.0, "Ohhh": -12.0,
        "Zoë": -12.0, "İs": -12.0, "B2": -9.0, "don't": -5.0,
    },
    "lemma_index": {
        "noun": ["frog", "rare", "tv", "e", "ee", "shhh", "eee"], "verb": ["bark", "take"],
        "adj": ["shy"],
    },
    "lemma_exc": {"verb": {"gone": ["go"]}},
    "lemma_lookup": {},
    "lemma_rules": {"noun": [["s", ""]], "verb": [["ed", ""], ["ing", "e"]], "punct": [["“", '"']]},
}  # fmt: skip


def test_what_is_in_and_what_is_out(monkeypatch):
    monkeypatch.setattr(lexicon, "english_table", TABLES.__getitem__)
    monkeypatch.setattr(lexicon, "_function_words", lambda: {"didn", "i", "s"})
    assert clean_lexicon() == [
        "barked", "didn", "frog", "frogs", "gone", "i", "mcdonald", "shy", "taking", "timmy",
    ]  # fmt: skip


def test_missing_package_is_an_error_for_people(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy.util", None)
    with pytest.raises(UserError, match="make install"):
        clean_lexicon()


def test_noise_of_spacys_table_is_out(clean_words):
    assert not {"eee", "zzz", "aaa", "ee", "zz", "teh", "e", "z", "s", "t"} & set(clean_words)


def test_words_of_stories_are_in(clean_words):
    """Common words, names, inflections, and what a contraction leaves before its apostrophe."""
    assert set(clean_words) >= {
        "the", "a", "i", "o", "and", "bar", "frog", "mommy", "meowed", "wagged", "yummy", "tiptoed",
        "lily", "timmy", "mia", "bobo", "didn", "wasn", "hadn", "ouch", "everybody",
    }  # fmt: skip
    assert clean_words == sorted(set(clean_words)) and 90_000 < len(clean_words) < 120_000
    assert all(word.isascii() and word.islower() for word in clean_words)
