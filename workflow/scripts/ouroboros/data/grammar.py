"""The story grammar: seeded stories whose probability is known.

A story is made by walking templates (the file says how they are written); every choice on the way
has a probability, and theirs multiplied is the story's. The grammar is written so that no two ways
of choosing give the same text and no story is the beginning of another: then this product is the
probability of the text itself, and the mean of its negative logarithm per token is a floor that no
language model's loss gets below. `derivations` parses a text back into every way of making it.
"""

import itertools
import math
from bisect import bisect
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ouroboros.data.grammar_parser import Choice, Draw, Reference, read_grammar


class Story(NamedTuple):
    """A text, and the natural logarithm of its probability where that is known (else None)."""

    text: str
    log_probability: float | None = None


class StoryGrammar:
    """A grammar ready to tell stories and to take them apart."""

    START = "story"

    def __init__(self, symbols: dict):
        self.symbols = symbols
        self.cumulative = {}  # options of a draw, by what it leaves out

    @classmethod
    def from_file(cls, path) -> "StoryGrammar":
        """Read a grammar; UserError naming file and key where it is malformed."""
        return cls(read_grammar(path, cls.START))

    def story(self, seed: int, index: int) -> Story:
        """Story `index` of the stream `seed`; it depends on these two numbers alone."""
        generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, index]))
        uniforms = itertools.chain.from_iterable(
            generator.random(256).tolist() for _ in itertools.count()
        )
        pieces, logs, bound = [], [], {}
        pending = [Choice(self.START)]
        while pending:
            node = pending.pop()
            if isinstance(node, str):
                pieces.append(node)
            elif isinstance(node, Reference):
                pieces.append(bound[node.variable][node.attribute])
            else:
                options, logarithms, ends = self._options(node, bound)
                chosen = min(bisect(ends, next(uniforms)), len(options) - 1)
                logs.append(logarithms[chosen])
                if isinstance(node, Choice):
                    pending.extend(reversed(options[chosen]))
                else:
                    bound[node.variable] = options[chosen]
                    pieces.append(options[chosen][node.attribute])
        return Story("".join(pieces), math.fsum(logs))

    def derivations(self, text: str) -> list[float]:
        """The log-probability of every way of making exactly this text; none: not a story."""
        return list(self._parse(text, 0, (Choice(self.START), None), {}, 0.0))

    def _parse(self, text, position, pending, bound, log) -> Iterator[float]:
        """`pending` is a linked list of nodes: (first, rest)."""
        while pending is not None:
            node, pending = pending
            if isinstance(node, Reference):
                node = bound[node.variable][node.attribute]
            if isinstance(node, str):
                if not text.startswith(node, position):
                    return
                position += len(node)
                continue
            options, logarithms, _ = self._options(node, bound)
            for option, more in zip(options, logarithms, strict=True):
                if isinstance(node, Choice):
                    rest = pending
                    for inner in reversed(option):
                        rest = (inner, rest)
                    yield from self._parse(text, position, rest, bound, log + more)
                elif text.startswith(option[node.attribute], position):
                    end = position + len(option[node.attribute])
                    known = {**bound, node.variable: option}
                    yield from self._parse(text, end, pending, known, log + more)
            return
        if position == len(text):
            yield log

    def _options(self, node, bound):
        """What can be chosen at a node: options, their log-probabilities, running sums to bisect.

        An entry that another variable holds already may be left out; the rest share its part.
        """
        if isinstance(node, Draw):
            without = bound[node.without]["name"] if node.without else None
            key = (node.entries, without)
        else:
            without, key = None, node.symbol
        if key not in self.cumulative:
            self.cumulative[key] = _normalised(
                [(entry, weight) for entry, weight in node.entries if entry["name"] != without]
                if isinstance(node, Draw)
                else self.symbols[node.symbol]
            )
        return self.cumulative[key]


def _normalised(weighted):
    options, weights = zip(*weighted, strict=True)
    total = math.fsum(weights)
    probabilities = [weight / total for weight in weights]
    return options, [math.log(p) for p in probabilities], list(itertools.accumulate(probabilities))
