"""The sentences of a story grammar: which may stand in one of its stories, and which in none.

A sentence ends with . ! or ? (and a closing quotation mark) before white space. Templates are taken apart
where sentences end, whichever templates meet there; words that a sentence refers to but does not
introduce may be any that the grammar ever keeps under that name.
"""

import itertools
import re
from collections import defaultdict
from typing import NamedTuple

from ouroboros.data.grammar import StoryGrammar, linked
from ouroboros.data.grammar_parser import Choice, Draw, Reference

BETWEEN = re.compile(r'(?<=[.!?])\s+|(?<=[.!?]")\s+')


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [sentence for sentence in BETWEEN.split(text.strip()) if sentence]


class Pieces(NamedTuple):
    """The texts of a symbol, taken apart where sentences end; a fragment is a tuple of nodes.

    `whole`: fragments in which none ends; of the others, `first`: up to the first end, `last`: after
    the last one, `inner`: what is between two.
    """

    whole: frozenset
    first: frozenset = frozenset()
    inner: frozenset = frozenset()
    last: frozenset = frozenset()


class Sentences:
    """The sentences of a grammar; `in` tells whether a text is one of them."""

    def __init__(self, grammar: StoryGrammar):
        self.grammar = grammar
        self.pieces, self.plain, self.known = {}, {}, {}
        self.kept = defaultdict(
            dict
        )  # variable -> name -> entry that some derivation keeps under it
        for template, _ in itertools.chain(*grammar.symbols.values()):
            for node in template:
                if isinstance(node, Draw):
                    self.kept[node.variable] |= {entry["name"]: entry for entry, _ in node.entries}
        whole, first, inner, last = self._of(grammar.START)
        self.by_start = defaultdict(list)  # the first letters of a fragment -> fragments
        for fragment in whole | first | inner | last:
            start = fragment[0][:1] if fragment and isinstance(fragment[0], str) else ""
            self.by_start[start].append(fragment)

    def __contains__(self, sentence: str) -> bool:
        if sentence not in self.known:
            fragments = self.by_start[sentence[:1]] + self.by_start[""]
            self.known[sentence] = any(
                self._matches(sentence, 0, linked(fragment, None), {}) for fragment in fragments
            )
        return self.known[sentence]

    def _of(self, symbol) -> Pieces:
        if symbol not in self.pieces:
            found = [self._joined(template) for template, _ in self.grammar.symbols[symbol]]
            self.pieces[symbol] = Pieces(
                *(frozenset().union(*parts) for parts in zip(*found, strict=True))
            )
        return self.pieces[symbol]

    def _joined(self, template) -> Pieces:
        pieces = Pieces(frozenset({()}))
        for node in template:
            if isinstance(node, str):
                after = _cut(node)
            elif isinstance(node, Choice) and not self._is_plain(node.symbol):
                after = self._of(node.symbol)
            else:
                after = Pieces(frozenset({(node,)}))
            pieces = _meet(pieces, after)
        return pieces

    def _is_plain(self, symbol):
        """Tell whether no sentence ends in a symbol: then it is derived when a sentence is matched."""
        if symbol not in self.plain:
            self.plain[symbol] = all(
                not re.search("[.!?]", node)
                if isinstance(node, str)
                else not isinstance(node, Choice) or self._is_plain(node.symbol)
                for template, _ in self.grammar.symbols[symbol]
                for node in template
            )
        return self.plain[symbol]

    def _matches(self, text, position, pending, bound) -> bool:
        """Tell whether the nodes `pending`, a linked list, can become the rest of the text."""
        while pending is not None:
            node, pending = pending
            if isinstance(node, str):
                if not text.startswith(node, position):
                    return False
                position += len(node)
            elif isinstance(node, Choice):
                return any(
                    self._matches(text, position, linked(template, pending), bound)
                    for template, _ in self.grammar.symbols[node.symbol]
                )
            else:
                return any(
                    self._matches(
                        text, position + len(word), pending, {**bound, node.variable: entry}
                    )
                    for entry in self._entries(node, bound)
                    if (word := entry.get(node.attribute)) and text.startswith(word, position)
                )
        return position == len(text)

    def _entries(self, node, bound):
        if isinstance(node, Reference):
            known = bound.get(node.variable)
            return self.kept[node.variable].values() if known is None else [known]
        excluded = bound.get(node.without, {}).get("name")
        return [entry for entry, _ in node.entries if entry["name"] != excluded]


def _cut(text) -> Pieces:
    """A text of a template, taken apart; a part that is empty stands for an end at the text's own end."""
    parts = [((part,) if part else ()) for part in BETWEEN.split(text)]
    if len(parts) == 1:
        return Pieces(frozenset(parts))
    return Pieces(frozenset(), frozenset(parts[:1]), frozenset(parts[1:-1]), frozenset(parts[-1:]))


def _meet(left: Pieces, right: Pieces) -> Pieces:
    """The pieces of two neighbours."""
    whole, first, inner, last = set(), set(left.first), left.inner | right.inner, set(right.last)
    inner = set(inner)
    for before, opens in [(of, True) for of in left.whole] + [(of, False) for of in left.last]:
        for after, closes in [(of, True) for of in right.whole] + [
            (of, False) for of in right.first
        ]:
            # `opens`: nothing ended before it; `closes`: nothing ends after it
            ends, *rest = _together(before, after)
            if rest:
                (first if opens else inner).add(ends)
                (last if closes else inner).add(*rest)
            else:
                place = {(True, True): whole, (True, False): first, (False, True): last}
                place.get((opens, closes), inner).add(ends)
    return Pieces(*map(frozenset, (whole, first, inner, last)))


def _together(before, after):
    """Two neighbouring fragments as one, texts that meet as one text; or as two, where a sentence ends between."""
    if not (before and after and isinstance(before[-1], str) and isinstance(after[0], str)):
        return [before + after]
    text, *rest = BETWEEN.split(before[-1] + after[0])
    if not rest:
        return [(*before[:-1], text, *after[1:])]
    return [(*before[:-1], text), (*filter(None, rest), *after[1:])]
