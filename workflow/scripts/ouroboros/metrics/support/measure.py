"""Measure what is left of the initial corpus's phrases, and the share of hallucinated sentences."""

import itertools

import numpy as np

from ouroboros.data.corpus import Corpus, row_groups
from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.grammar_sentences import Sentences, sentences
from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.metrics.ppl.ratio import ratio
from ouroboros.metrics.support.phrases import phrases_left

SEQUENCES = (
    10_000  # the first ones, that phrases are counted in: memory does not grow with the corpus
)


def measure(inputs, settings, device, batch) -> dict:
    """The contents of support.json."""
    tokenizer, end_of_text = read_tokenizer(inputs.tokenizer)
    initial, own = (first_sequences(paths, SEQUENCES) for paths in (inputs.initial, inputs.corpus))
    left, left_error = phrases_left(initial.tokens, own.tokens, settings["phrases"])
    found = {"phrases_left": left, "phrases_left_error": left_error}
    none = {"hallucinated": None, "hallucinated_error": None, "sentences": 0}
    if not inputs.grammar:
        return found | none
    known = Sentences(StoryGrammar.from_file(inputs.grammar[0]))
    texts = (tokenizer.decode(story) for story in whole_stories(own, end_of_text))
    outside, counts = hallucinated(texts, known, settings["sentences"])
    if not counts:
        return found | none
    share, error = ratio(np.array(outside), np.array(counts))
    return found | {"hallucinated": share, "hallucinated_error": error, "sentences": sum(counts)}


def first_sequences(paths, most: int) -> Corpus:
    """The first `most` sequences of a corpus."""
    kept, count = [], 0
    for part in row_groups(paths):
        kept.append(Corpus(part.tokens[: most - count], part.previous[: most - count]))
        count += len(kept[-1])
        if count == most:
            break
    tokens, previous = zip(*((part.tokens, part.previous) for part in kept), strict=True)
    return Corpus(np.concatenate(tokens), np.concatenate(previous))


def whole_stories(corpus: Corpus, end_of_text: int):
    """Yield the tokens of the stories that begin and end within a sequence."""
    for row, previous in zip(corpus.tokens, corpus.previous, strict=True):
        ends = np.flatnonzero(np.concatenate([[previous], row]) == end_of_text)
        for start, end in itertools.pairwise(ends.tolist()):
            if end > start + 1:
                yield row[start : end - 1].tolist()


def hallucinated(texts, known: Sentences, most: int) -> tuple[list[int], list[int]]:
    """Of each story, the sentences that the grammar never makes, and all of them; up to `most` sentences."""
    outside, counts = [], []
    for text in texts:
        of_story = sentences(text)
        outside.append(sum(sentence not in known for sentence in of_story))
        counts.append(len(of_story))
        if sum(counts) >= most:
            break
    return outside, counts
