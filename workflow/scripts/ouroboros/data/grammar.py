"""The story grammar: random stories whose probability is known.

A story is derived from templates (the grammar's file explains their syntax) by random choices; the
product of the choices' probabilities is the probability of the derivation. The shipped grammar is
unambiguous, and none of its stories is the beginning of another: then this product is the
probability of the text, and its mean negative logarithm per token is a lower bound of any language
model's expected loss. `derivations` finds all derivations of a text.
"""

import itertools
import math
from bisect import bisect
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ouroboros.data.grammar_parser import Choice, Draw, Reference, read_grammar


class Story(NamedTuple):
    """A text, and the natural logarithm of its probability where that is known (else None)."""

    text: str
    log_probability: float | None = None


class StoryGrammar:
    """A grammar that generates stories, and parses them."""

    START = "story"

    def __init__(self, symbols: dict):
        self.symbols = symbols
        self.distributions = {}  # cache of _options

    @classmethod
    def from_file(cls, path) -> "StoryGrammar":
        """Read a grammar file; UserError naming file and key where it is malformed."""
        return cls(read_grammar(path, cls.START))

    def story(self, seed: int, index: int) -> Story:
        """Story number `index` of the stream `seed`; it depends on these two numbers alone."""
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
        """The log-probability of every derivation of exactly this text; empty where it is no story."""
        return list(self._parse(text, 0, (Choice(self.START), None), {}, 0.0))

    def _parse(self, text, position, pending, bound, log) -> Iterator[float]:
        """Yield the log-probability of every derivation of `text` from `position` on.

        `pending`: the nodes still to derive, a linked list (first, rest); `bound`: variable ->
        entry; `log`: the log-probability so far.
        """
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
                    rest = linked(option, pending)
                    yield from self._parse(text, position, rest, bound, log + more)
                elif text.startswith(option[node.attribute], position):
                    end = position + len(option[node.attribute])
                    known = {**bound, node.variable: option}
                    yield from self._parse(text, end, pending, known, log + more)
            return
        if position == len(text):
            yield log

    def beginnings(self, settled: Callable[[str], object | None]) -> Iterator[tuple[object, float]]:
        """Yield every way in which a story can begin, as far as it matters, and its log-probability.

        A beginning is derived further until `settled` of its text is not None, which is what is yielded.
        A story that ends before is not.
        """
        begun = [("", (Choice(self.START), None), {}, 0.0)]
        while begun:
            text, pending, bound, log = begun.pop()
            if (found := settled(text)) is not None:
                yield found, log
            elif pending is not None:
                node, rest = pending
                if isinstance(node, Reference):
                    node = bound[node.variable][node.attribute]
                if isinstance(node, str):
                    begun.append((text + node, rest, bound, log))
                    continue
                options, logarithms, _ = self._options(node, bound)
                for option, more in zip(options, logarithms, strict=True):
                    if isinstance(node, Choice):
                        begun.append((text, linked(option, rest), bound, log + more))
                    else:
                        known = {**bound, node.variable: option}
                        begun.append((text + option[node.attribute], rest, known, log + more))

    def _options(self, node, bound):
        """The options at a node, their log-probabilities, and their cumulative probabilities.

        A draw may exclude the entry that another variable holds; the others share its probability.
        """
        if isinstance(node, Draw):
            excluded = bound[node.without]["name"] if node.without else None
            key = (node.entries, excluded)
        else:
            excluded, key = None, node.symbol
        if key not in self.distributions:
            self.distributions[key] = _normalised(
                [(entry, weight) for entry, weight in node.entries if entry["name"] != excluded]
                if isinstance(node, Draw)
                else self.symbols[node.symbol]
            )
        return self.distributions[key]


def linked(nodes, rest):
    """Nodes and what comes after them as a linked list: (first, rest), None at its end."""
    for node in reversed(nodes):
        rest = (node, rest)
    return rest


def _normalised(weighted):
    options, weights = zip(*weighted, strict=True)
    total = math.fsum(weights)
    probabilities = [weight / total for weight in weights]
    return options, [math.log(p) for p in probabilities], list(itertools.accumulate(probabilities))
