"""Beginnings of stories against a count by hand, and what follows them against the grammar's own stories."""

from collections import Counter

import numpy as np
import pytest
from tools import REPOSITORY

from ouroboros.data.corpus import Corpus
from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.tokenizer import make_tokenizer
from ouroboros.metrics.theory.beginnings import LONGEST, most_frequent
from ouroboros.metrics.theory.truth import next_tokens

END, VOCABULARY, LENGTH = 9, 10, 12


@pytest.fixture
def corpus():
    """Stories of few tokens, as one stream cut into sequences."""
    rng = np.random.default_rng(0)
    stories = [rng.integers(0, 4, rng.integers(1, 9)).tolist() for _ in range(300)]
    stream = [token for story in stories for token in [*story, END]]
    stream = stream[: len(stream) // LENGTH * LENGTH]
    tokens = np.array(stream, np.uint16).reshape(-1, LENGTH)
    previous = np.concatenate([[END], tokens[:-1, -1]]).astype(np.uint16)
    return Corpus(tokens, previous)


def by_hand(corpus):
    """Counter of (beginning, next token)."""
    found = Counter()
    for tokens, previous in zip(corpus.tokens.tolist(), corpus.previous.tolist(), strict=True):
        row = [previous, *tokens]
        for place, token in enumerate(row):
            for length in range(1, LONGEST + 1):
                part = row[place + 1 : place + 2 + length]
                if token == END and len(part) == length + 1 and END not in part[:-1]:
                    found[tuple(part[:-1]), part[-1]] += 1
    return found


def test_they_are_the_most_frequent_and_counted_by_what_follows(corpus):
    wanted = by_hand(corpus)
    totals = Counter()
    for (context, _), count in wanted.items():
        totals[context] += count
    halves = [
        Corpus(corpus.tokens[part], corpus.previous[part]) for part in (slice(40), slice(40, None))
    ]
    found = most_frequent(lambda: iter(halves), END, VOCABULARY, 25)
    assert len(found.contexts) == 25
    least = min(totals[context] for context in found.contexts)
    assert sum(count > least for count in totals.values()) < 25
    assert {len(context) for context in found.contexts} >= {1, 2}
    for context, counts in zip(found.contexts, found.counts, strict=True):
        assert [wanted[context, token] for token in range(VOCABULARY)] == counts.tolist()


def test_fewer_than_asked_for_are_all(corpus):
    found = most_frequent(lambda: [corpus], END, VOCABULARY, 10**6)
    assert set(found.contexts) == {context for context, _ in by_hand(corpus)}


@pytest.fixture(scope="module")
def grammar():
    return StoryGrammar.from_file(REPOSITORY / "resources/story_grammar.yaml")


@pytest.fixture(scope="module")
def grammar_tokenizer(grammar):
    stories = [grammar.story(1, index).text for index in range(300)]
    return make_tokenizer({"source": "train", "vocabulary_size": 600}, stories)[0]


def test_the_truth_is_what_the_grammars_stories_begin_with(grammar, grammar_tokenizer):
    """A beginning of each length, the most frequent, in 4,000 stories: counts within chance of the probabilities."""
    begun = [
        grammar_tokenizer.encode(grammar.story(0, index).text).ids[: LONGEST + 1]
        for index in range(4000)
    ]
    contexts = [
        Counter(tuple(ids[:length]) for ids in begun).most_common(1)[0][0]
        for length in range(1, LONGEST + 1)
    ]
    truth = next_tokens(grammar, grammar_tokenizer, contexts)
    assert truth.sum(1) == pytest.approx(np.ones(LONGEST))
    for context, probabilities in zip(contexts, truth, strict=True):
        following = [ids[len(context)] for ids in begun if tuple(ids[: len(context)]) == context]
        counts = np.bincount(following, minlength=len(probabilities))
        assert counts[probabilities == 0].sum() == 0
        errors = np.sqrt(len(following) * probabilities * (1 - probabilities))
        assert (np.abs(counts - len(following) * probabilities) <= 4.5 * errors + 1).all()
