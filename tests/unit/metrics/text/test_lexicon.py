"""The lexicon holds spaCy's English words from a cut up, in lower case, each once."""

import sys

import pytest

from ouroboros.errors import UserError
from ouroboros.metrics.text import lexicon
from ouroboros.metrics.text.lexicon import build_lexicon, lower_cased, read_lexicon, write_lexicon

TABLE = {
    "The": -3.0, "the": -3.5, "Lily": -13.0, "lily": -14.3, "o'clock": -13.3, "don\u2019t": -11.4,
    "naïve": -14.0, "'s": -4.8, "e.g.": -10.6, "B2": -9.0, " ": -4.0, "rare": -14.001,
}  # fmt: skip


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(lexicon, "english_table", lambda name: TABLE)


@pytest.fixture(scope="module")
def real_words():
    return build_lexicon(-18.0)


def test_words_of_letters_from_the_cut_up(table):
    # -14 is in, -14.001 is out; "lily" is in by its spelling "Lily"; "'s", "e.g.", "B2", " " are
    # no words
    assert build_lexicon(-14.0) == ["don\u2019t", "lily", "naïve", "o'clock", "the"]


def test_a_higher_cut_leaves_fewer_words(table):
    assert build_lexicon(-3.2) == ["the"]


def test_no_words_is_an_error_that_names_the_most_frequent(table):
    with pytest.raises(UserError, match=r"or more; the most frequent one has -3\.00"):
        build_lexicon(-1.0)


def test_missing_package_is_an_error_for_people(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy.util", None)
    with pytest.raises(UserError, match="make install"):
        build_lexicon(-18.0)


def test_missing_table_is_an_error_for_people(monkeypatch):
    from spacy.util import registry

    monkeypatch.setattr(registry.lookups, "get", lambda name: {})
    with pytest.raises(UserError, match="spacy-lookups-data"):
        build_lexicon(-18.0)


def test_write_and_read_give_the_same_words(tmp_path):
    words = ["don\u2019t", "naïve", "the"]
    write_lexicon(words, tmp_path / "lexicon.txt")
    assert (tmp_path / "lexicon.txt").read_bytes() == "\n".join([*words, ""]).encode()
    assert read_lexicon(tmp_path / "lexicon.txt") == frozenset(words)


def test_lower_case_of_a_whole_is_that_of_its_parts():
    # str.lower turns the last sigma of a word, and only that one, into another letter
    assert lower_cased("ΟΔΟΣ") == lower_cased("ΟΔΟ") + lower_cased("Σ") != "ΟΔΟΣ".lower()
    assert lower_cased("Lily") == "lily"


def test_spacys_own_table(real_words):
    assert real_words == sorted(set(real_words))
    assert 140_000 < len(real_words) < 180_000
    assert all(word == lower_cased(word) for word in real_words)


def test_story_words_are_in_and_made_up_ones_are_not(real_words):
    """Words by which the default cut was chosen."""
    words = set(real_words)
    assert {"lily", "wagged", "cobweb", "tiptoed", "moonbeam", "sandcastle", "mommy"} <= words
    assert not {"helpitty", "ellieherea", "theonce", "jointlyesome", "eeeeeeeeee"} & words
