"""Words of tokens are found and counted as a plain reading of the definition finds them."""

from collections import Counter

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, models

from ouroboros.data.tokenizer import END_OF_TEXT, make_tokenizer
from ouroboros.metrics.text.oov_words import WordCounter, token_texts


@pytest.fixture(scope="module")
def gpt2():
    return make_tokenizer({"source": "gpt2"}, [])


def by_hand(tokens, special=(END_OF_TEXT,)):
    """A tokenizer whose ids are the places of `tokens` (in GPT-2's alphabet: Ġ is a space)."""
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, []))
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def count(tokenizer, rows, lexicon=(), one_token=False):
    counter = WordCounter(tokenizer, one_token)
    counter.add(np.asarray(rows, np.uint16))
    return counter.oov(lexicon)


def naive(tokenizer, rows, lexicon, one_token):
    """The definition, read token by token; also independent in how it decodes a token."""
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    words, out_of_vocabulary = 0, Counter()
    for row in rows.tolist():
        found, current = [], None
        for token in row:
            text = tokenizer.decode([token], skip_special_tokens=False)
            letters = text[1:] if text.startswith(" ") else text
            if token in special or not letters.isalpha():
                current = None
            elif text.startswith(" ") or current is None:
                current = [letters]
                found.append(current)
            else:
                current.append(letters)
        words += len(found)
        for word in found:
            text = "".join(character.lower() for character in "".join(word))
            if (one_token or len(word) > 1) and text not in lexicon:
                out_of_vocabulary[text] += 1
    return words, out_of_vocabulary


def check(tokenizer, rows, lexicon=()):
    """Words of one token counted and not; returns the paper's count, without them."""
    for one_token in (True, False):
        words, expected = naive(tokenizer, rows, lexicon, one_token)
        result = count(tokenizer, rows, lexicon, one_token)
        assert result["words"] == words
        assert result["oov_words"] == expected.total()
        assert result["distinct_oov_words"] == len(expected)
        top = sorted(expected.items(), key=lambda item: (-item[1], item[0]))[:20]
        assert result["most_frequent_oov_words"] == [list(item) for item in top]
    return result


def test_a_row_by_hand():
    tokenizer = by_hand([END_OF_TEXT, "Ġhe", "lp", "itty", "ĠLily", ".", "7"])
    # " help" is in the lexicon, " Lilyitty" is not; "lp" behind "." is a word of one token
    row = [1, 2, 5, 4, 3, 6, 1, 5, 2]
    assert count(tokenizer, [row], {"help"}) == {
        "words": 4,  # help, Lilyitty, he, lp
        "oov_words": 1,
        "distinct_oov_words": 1,
        "oov_share": 1 / 4,
        "most_frequent_oov_words": [["lilyitty", 1]],
    }


def test_words_of_one_token_are_never_out_of_vocabulary():
    tokenizer = by_hand([END_OF_TEXT, "Ġzq", "zq"])
    assert count(tokenizer, [[1, 1, 1], [2, 1, 0]])["oov_words"] == 0


def test_words_of_one_token_count_where_they_are_asked_for():
    tokenizer = by_hand([END_OF_TEXT, "Ġzq", "ZQ", "Ġz", "q", "Ġhe", "."])
    # " zq", "ZQ" after the full stop, " z" and "q" together; " he" is in the lexicon
    result = count(tokenizer, [[1, 6, 2, 3, 4, 5, 0, 6]], {"he"}, one_token=True)
    assert result == {
        "words": 4, "oov_words": 3, "distinct_oov_words": 1, "oov_share": 3 / 4,
        "most_frequent_oov_words": [["zq", 3]],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([2, 3, 1, 1], ["help"]),  # at the row's beginning
        ([1, 1, 2, 3], ["help"]),  # at the row's end
        ([2, 0, 3, 1], []),  # end-of-text divides
        ([2, 4, 3, 1], []),  # punctuation divides
        ([2, 5, 3, 1], []),  # a digit divides
        ([2, 6, 3, 1], []),  # a space of its own divides
        ([2, 7, 3, 1], []),  # part of a character divides
        ([2, 8, 3, 1], []),  # letters and a digit are no letters
        ([2, 9, 3, 1], []),  # two spaces before letters are no word
        ([2, 10, 3, 1], []),  # a line's end divides
        ([2, 11, 1, 1], ["heé"]),  # a letter of two bytes
        ([2, 12, 1, 1], ["help"]),  # capitals do not count
    ],
)
def test_what_a_word_is(row, expected):
    tokenizer = by_hand(
        [END_OF_TEXT, "Ġa", "Ġhe", "lp", ".", "7", "Ġ", "Ã", "b2", "ĠĠb", "Ċ", "Ã©", "LP"]
    )
    found = count(tokenizer, [row])["most_frequent_oov_words"]
    assert found == [[word, 1] for word in expected]


def test_a_word_does_not_reach_into_the_next_row():
    tokenizer = by_hand([END_OF_TEXT, "Ġhe", "lp"])
    result = count(tokenizer, [[0, 1], [2, 0]])
    assert (result["words"], result["oov_words"]) == (2, 0)


def test_special_tokens_of_letters_are_no_words():
    tokenizer = by_hand(["Ġhe", "END", "lp"], special=["END"])
    result = count(tokenizer, [[0, 1, 2]])
    assert (result["words"], result["oov_words"]) == (2, 0)


def test_the_same_word_of_other_tokens_is_one_word():
    tokenizer = by_hand([END_OF_TEXT, "Ġhel", "p", "Ġhe", "lp"])
    result = count(tokenizer, [[1, 2, 3, 4]])
    assert result["most_frequent_oov_words"] == [["help", 2]]
    assert result["distinct_oov_words"] == 1


def test_words_as_frequent_stand_alphabetically_whatever_their_length():
    tokenizer = by_hand([END_OF_TEXT, "Ġb", "b", "a", "Ġaaa"])
    result = count(tokenizer, [[1, 2, 1, 3, 4, 3, 1, 2]])
    assert result["most_frequent_oov_words"] == [["bb", 2], ["aaaa", 1], ["ba", 1]]


def test_no_words_have_no_share():
    assert count(by_hand([END_OF_TEXT, "."]), [[1, 0, 1]])["oov_share"] is None


def test_token_texts_are_the_tokenizers_own(gpt2):
    tokenizer, end_of_text = gpt2
    texts = token_texts(tokenizer)
    assert texts[tokenizer.token_to_id(end_of_text)] is None and len(texts) == 50_257
    for token in range(50_256):
        text = tokenizer.decode([token], skip_special_tokens=False)
        assert texts[token].decode(errors="replace") == text


def test_added_tokens_that_are_not_special_are_plain_text():
    tokenizer = by_hand([END_OF_TEXT, "Ġhe"])
    tokenizer.add_tokens([AddedToken(" naïve", special=False)])
    assert token_texts(tokenizer)[2] == " naïve".encode()


def test_random_rows_of_gpt2(gpt2):
    """All of GPT-2's tokens: capitals, digits, partial characters, other alphabets."""
    tokenizer, _ = gpt2
    rows = np.random.default_rng(0).integers(0, 50_257, (300, 101)).astype(np.uint16)
    plain = check(tokenizer, rows)
    known = [word for word, _ in plain["most_frequent_oov_words"]]
    assert check(tokenizer, rows, frozenset(known))["oov_words"] < plain["oov_words"]


def test_adversarial_rows_of_gpt2(gpt2):
    tokenizer, end_of_text = gpt2
    pieces = ["e", "E", "z", "zz", " e", " Z", ".", " ", "\n", "7", "'t", " Σ", "Σ", "é", "ing"]
    ids = [tokenizer.encode(piece, add_special_tokens=False).ids[0] for piece in pieces]
    partial = [tokenizer.token_to_id(token) for token in ("Ã", "ð", "ĠÃ", "Ł")]
    ids = np.array([*ids, *partial, tokenizer.token_to_id(end_of_text)], np.uint16)
    rows = ids[np.random.default_rng(1).integers(0, len(ids), (300, 67))]
    rows[0] = ids[0]  # one word as long as the row
    rows[1, 5:] = ids[3]  # and one up to its end
    rows[2:4] = ids[[4, -1], None]  # words of one token; nothing but end-of-text
    check(tokenizer, rows, frozenset(["ee", "zzz", "eing", "é"]))


def test_random_rows_of_a_trained_tokenizer(tokenizer):
    size = tokenizer.get_vocab_size()
    rows = np.random.default_rng(2).integers(0, size, (500, 40)).astype(np.uint16)
    check(tokenizer, rows, frozenset(["th", "the", "at"]))


def test_rows_of_one_token_and_no_rows(tokenizer):
    check(tokenizer, np.arange(300, dtype=np.uint16)[:, None])
    check(tokenizer, np.zeros((0, 7), np.uint16))


@pytest.mark.parametrize("one_token", [False, True])
def test_counts_do_not_depend_on_blocks_and_merges(gpt2, monkeypatch, one_token):
    tokenizer, _ = gpt2
    letters = [tokenizer.token_to_id(letter) for letter in "abcdefgh"]
    rows = np.random.default_rng(3).choice(letters, (200, 6)).astype(np.uint16)
    rows[:, 3:5] = tokenizer.token_to_id(".")  # a word of three tokens, and one of one
    whole = count(tokenizer, rows, one_token=one_token)
    monkeypatch.setattr("ouroboros.metrics.text.oov_words._TextCounts.MERGE_AT", 3)
    counter = WordCounter(tokenizer, one_token)
    for start in range(0, 200, 7):
        counter.add(rows[start : start + 7])
    assert counter.oov([]) == whole
    assert counter.oov([]) == whole  # asking changes nothing
    counter.add(rows)  # and more may come
    assert counter.oov([])["oov_words"] == 2 * whole["oov_words"]
