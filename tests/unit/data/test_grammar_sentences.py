"""Sentences of grammars: all that stories have, and none besides."""

import itertools

import pytest
import yaml
from tools import REPOSITORY

from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.grammar_sentences import Sentences, sentences


@pytest.fixture(scope="module")
def shipped():
    return StoryGrammar.from_file(REPOSITORY / "resources/story_grammar.yaml")


def test_a_text_is_cut_where_sentences_end():
    text = 'One day. "Who is it?" she asked.\nNobody! "Yes." The end.'
    assert sentences(text) == [
        "One day.", '"Who is it?"', "she asked.", "Nobody!", '"Yes."', "The end.",
    ]  # fmt: skip


def test_every_sentence_of_the_shipped_grammars_stories_is_one(shipped):
    known = Sentences(shipped)
    for index in range(300):
        for sentence in sentences(shipped.story(5, index).text):
            assert sentence in known, sentence


def test_words_that_no_derivation_puts_together_are_none(shipped):
    known = Sentences(shipped)
    story = sentences(shipped.story(5, 0).text)
    assert all(f"{sentence[:-1]} zebra." not in known for sentence in story)
    assert story[0] in known and story[0][1:] not in known and story[0][:-1] not in known


@pytest.fixture
def small(tmp_path):
    """A grammar of few stories, whose sentences end in and between templates, in choices and after them."""
    content = {
        "lists": {
            "child": [
                {"words": "Mia, Ann", "their": "her"}, {"words": "Tom, Ben", "their": "his"},
            ],
            "thing": [{"words": "ball, kite"}],
        },
        "symbols": {
            "story": ["{begin} {middle}{stop} The end."],
            "begin": ["{hero=child} had a {thing}.", "There was {hero=child}. {hero} slept."],
            "middle": ["{hero} lost {hero.their} {thing}", "So did {friend=child!hero}[ too| as well]"],
            "stop": [".", '! "Oh."'],
        },
    }  # fmt: skip
    path = tmp_path / "grammar.yaml"
    path.write_text(yaml.safe_dump(content))
    return StoryGrammar.from_file(path)


def test_they_are_those_of_all_stories_and_no_others(small):
    """All stories of a small grammar, by drawing many; and every sentence one word away from theirs."""
    found = {s for index in range(3000) for s in sentences(small.story(0, index).text)}
    known = Sentences(small)
    assert all(sentence in known for sentence in found)
    words = sorted({word for sentence in found for word in sentence.split()})
    near = {
        " ".join([*parts[:place], word, *parts[place + 1 :]])
        for sentence in found
        for parts in [sentence.split()]
        for place, word in itertools.product(range(len(parts)), words)
    }
    assert {sentence for sentence in near if sentence in known} == found & near
    assert "Mia lost his ball." not in known and "Mia lost her ball!" in known
