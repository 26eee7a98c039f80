"""Parse and check the file of a story grammar; resources/story_grammar.yaml explains its syntax."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from ouroboros.errors import UserError

PIECE = re.compile(r"\{(?:(\w+)=)?(\w+)(?:\.(\w+))?(?:!(\w+))?\}")
ZIPF_OFFSET = 2.7  # an entry's weight is 1 / (its place + this): a long tail, no giant at its head


@dataclass(frozen=True)
class Choice:
    """A random choice of one template of a symbol."""

    symbol: str


@dataclass(frozen=True)
class Draw:
    """A random entry of a word list, bound to a variable and written as one of its attributes."""

    entries: "Entries"
    variable: str
    attribute: str
    without: str | None


@dataclass(frozen=True)
class Reference:
    """An attribute of the entry that a variable is bound to."""

    variable: str
    attribute: str


class Entries(tuple):
    """The (entry, weight) pairs of a word list; hashed by identity, since entries are dicts."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


def read_grammar(path, start: str) -> dict:
    """Read a grammar whose stories derive from the symbol `start`.

    Returns symbol -> list of (template, weight); a template is a tuple of str, Choice, Draw and
    Reference. Raises UserError naming the file and the key.
    """
    return _Reader(path).read(start)


class _Loader(yaml.SafeLoader):
    """YAML that refuses a duplicate key in a mapping; PyYAML itself drops the first."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands there twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


class _Reader:
    def __init__(self, path):
        self.path = path
        self.symbols = {}

    def read(self, start):
        content = self._load()
        self.lists = {
            name: Entries(self._entries(name, groups)) for name, groups in content["lists"].items()
        }
        self.names = set(content["symbols"])
        for name in sorted(self.names & set(self.lists)):
            self._fail(f"symbols.{name}", "a word list has this name too; give one of them another")
        if start not in self.names:
            self._fail("symbols", f"there is no symbol {start!r}, where stories begin")
        for name, templates in content["symbols"].items():
            where = f"symbols.{name}"
            if not isinstance(templates, list) or not templates:
                self._fail(where, "has to be a list of one template or more")
            self.symbols[name] = [self._weighted(where, template) for template in templates]
        self._check_paths(start)
        return self.symbols

    def _check_paths(self, start):
        """Check along every derivation that names are known and variables bound before their use."""
        self.known = {}
        self._walk(start, {}, ())
        for name in sorted(self.names - {symbol for symbol, _ in self.known}):
            self._fail(f"symbols.{name}", "no story uses it; remove it, or use it")

    def _walk(self, symbol, bound, path):
        """The variables certainly bound after a symbol -> the word lists that each may be bound from."""
        where = "symbols." + symbol.removeprefix("symbols.").split("#")[0]
        if symbol in path:
            self._fail(where, f"{symbol!r} contains itself, so that a story might never end")
        key = (symbol, frozenset(bound.items()))
        if key not in self.known:
            ends = []
            for template, _ in self.symbols[symbol]:
                after = bound
                for node in template:
                    after = self._step(where, node, after, (*path, symbol))
                ends.append(after)
            common = set.intersection(*(set(after) for after in ends))
            self.known[key] = {
                name: frozenset().union(*(after[name] for after in ends)) for name in common
            }
        return self.known[key]

    def _step(self, where, node, bound, path):
        if isinstance(node, Choice):
            return self._walk(node.symbol, bound, path)
        if isinstance(node, Reference):
            self._check_bound(where, node.variable, node.attribute, bound)
        elif isinstance(node, Draw):
            if node.without:
                self._check_bound(where, node.without, "name", bound)
                if len(node.entries) < 2:
                    self._fail(where, f"leaving {node.without!r} out may leave no word to choose")
            return {**bound, node.variable: frozenset({node.entries})}
        return bound

    def _check_bound(self, where, variable, attribute, bound):
        if variable not in bound:
            self._fail(
                where, f"{variable!r} is no symbol, no word list and no variable held by then"
            )
        if not all(attribute in entry for entries in bound[variable] for entry, _ in entries):
            self._fail(where, f"{variable!r} has no attribute {attribute!r}")

    def _load(self):
        try:
            content = yaml.load(Path(self.path).read_text(encoding="utf-8"), _Loader)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The story grammar {self.path} cannot be read: {error}.") from error
        except yaml.YAMLError as error:
            raise UserError(f"The story grammar {self.path} is not valid YAML: {error}") from error
        sections = {"lists", "symbols"}
        if not isinstance(content, dict) or set(content) != sections:
            self._fail("the file", "has to hold two mappings, `lists` and `symbols`, and no more")
        for section in sections:
            if not isinstance(content[section], dict):
                self._fail(section, "has to be a mapping")
        return content

    def _entries(self, name, groups):
        where = f"lists.{name}"
        if not isinstance(groups, list) or not groups:
            self._fail(where, "has to be a list of groups, each with `words`")
        seen = set()
        for group in groups:
            if not isinstance(group, dict) or not str(group.get("words", "")).strip():
                self._fail(
                    where, "each group has to be a mapping with `words`, separated by commas"
                )
            attributes = {str(key): str(value) for key, value in group.items() if key != "words"}
            for place, word in enumerate(str(group["words"]).split(",")):
                word = " ".join(word.split())
                if not word or word in seen:
                    self._fail(where, f"{word!r} is empty or stands there twice; each word once")
                seen.add(word)
                article = "an" if word[0].lower() in "aeiou" else "a"
                entry = {"name": word, "a": f"{article} {word}", **attributes}
                capital = {
                    key.capitalize(): text[:1].upper() + text[1:] for key, text in entry.items()
                }
                entry |= capital
                yield entry, 1 / (place + ZIPF_OFFSET)

    def _weighted(self, where, template):
        given = weight = 1
        if isinstance(template, dict):
            if not {"text"} <= set(template) <= {"text", "weight"}:
                self._fail(where, "a template is a text, or a mapping of `text` and `weight`")
            template, given = template["text"], template.get("weight", 1)
            weight = given
        if not isinstance(weight, int | float) or isinstance(weight, bool):
            weight = math.nan
        if not 0 < weight < math.inf:
            self._fail(where, f"the weight {given!r} has to be a finite number above 0")
        if not isinstance(template, str):
            self._fail(where, f"the template {template!r} has to be a text")
        text = "\n".join(" ".join(part.split()) for part in template.strip().split("\n\n"))
        return self._template(where, text), weight

    def _template(self, where, text):
        """Parse a template: split it at {...} and [...|...], which become symbols of their own."""
        nodes, rest = [], text
        while rest:
            cut = min((place for place in map(rest.find, "{[") if place >= 0), default=len(rest))
            if cut:
                nodes.append(rest[:cut])
                if set(rest[:cut]) & set("}]|"):
                    self._fail(where, f"a bracket is not matched in {rest[:cut]!r}")
            rest = rest[cut:]
            if rest.startswith("{"):
                match = PIECE.match(rest)
                if not match:
                    self._fail(
                        where, f"{rest[:30]!r} is not of the form {{variable=list.attribute!other}}"
                    )
                nodes.append(self._piece(where, *match.groups()))
                rest = rest[match.end() :]
            elif rest:
                inside, rest = self._bracket(where, rest)
                symbol = f"{where}#{len(self.symbols)}"
                self.symbols[symbol] = None  # holds the name while its inside is read
                self.symbols[symbol] = [(self._template(where, part), 1) for part in inside]
                nodes.append(Choice(symbol))
        return tuple(nodes)

    def _bracket(self, where, text):
        depth, parts, start = 0, [], 1
        for place, character in enumerate(text):
            depth += (character == "[") - (character == "]")
            if depth == 1 and character == "|":
                parts.append(text[start:place])
                start = place + 1
            if depth == 0:
                return [*parts, text[start:place]], text[place + 1 :]
        self._fail(where, f"a bracket is not matched in {text[:30]!r}")

    def _piece(self, where, variable, name, attribute, without):
        if name in self.lists:
            if variable in self.lists or variable in self.names:
                self._fail(where, f"the variable {variable!r} has the name of a list or symbol")
            attribute = attribute or "name"
            for entry, _ in self.lists[name]:
                if attribute not in entry:
                    self._fail(
                        where, f"{entry['name']!r} of the list {name!r} has no {attribute!r}"
                    )
            return Draw(self.lists[name], variable or f"a {name}", attribute, without)
        if variable or without:
            self._fail(where, f"there is no word list {name!r}")
        if name in self.names and not attribute:
            return Choice(name)
        if name in self.names or not attribute:
            attribute = attribute or "name"
        return Reference(name, attribute)

    def _fail(self, where, what):
        raise UserError(f"The story grammar {self.path}, {where}: {what}.")
