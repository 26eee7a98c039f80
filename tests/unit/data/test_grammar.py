"""The story grammar: its stories, their probabilities, and what a malformed file is told."""

import itertools
import math
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from ouroboros.data.grammar import StoryGrammar
from ouroboros.errors import UserError

SHIPPED = Path(__file__).parents[3] / "resources" / "story_grammar.yaml"
COUNT = 10_000

TINY = """
lists:
  child:
    - {words: "Ann, Eve", they: she, their: her}
    - {words: "Bob", they: he, their: his}
symbols:
  story:
    - {text: "{hero=child} met {friend=child!hero}. {end}", weight: 3}
    - "{hero=child} sat alone. {end}"
  end:
    - "{hero.They} [sang|ran] with {hero.their} dog. The end."
    - {text: "The end.", weight: 0.5}
"""

LISTS = "lists: {child: [{words: 'Ann, Bob', they: she}]}\n"


def grammar_of(folder, content):
    path = folder / "grammar.yaml"
    path.write_text(content)
    return StoryGrammar.from_file(path)


def words(text):
    return re.findall(r"[a-z']+", text.lower())


@pytest.fixture(scope="module")
def shipped():
    return StoryGrammar.from_file(SHIPPED)


@pytest.fixture(scope="module")
def stories(shipped):
    return [shipped.story(0, index) for index in range(COUNT)]


@pytest.fixture(scope="module")
def texts(stories):
    return [story.text for story in stories]


@pytest.fixture
def tiny(tmp_path):
    return grammar_of(tmp_path, TINY)


def tiny_probabilities():
    """Every story of TINY with its probability, worked out without the grammar's own code."""
    # The weight of a word falls with its place in its own group: Bob's place is 0 again.
    weight = {"Ann": 1 / 2.7, "Eve": 1 / 3.7, "Bob": 1 / 2.7}
    pronouns = {"Ann": ("She", "her"), "Eve": ("She", "her"), "Bob": ("He", "his")}
    total = sum(weight.values())
    beginnings = {
        (hero, f"{hero} sat alone. "): 1 / 4 * weight[hero] / total for hero in weight
    } | {
        (hero, f"{hero} met {friend}. "): 3 / 4
        * weight[hero] / total
        * weight[friend] / (total - weight[hero])
        for hero, friend in itertools.permutations(weight, 2)
    }  # fmt: skip
    probabilities = {}
    for (hero, beginning), probability in beginnings.items():
        they, their = pronouns[hero]
        probabilities[f"{beginning}The end."] = probability * 0.5 / 1.5
        for verb in ("sang", "ran"):
            text = f"{beginning}{they} {verb} with {their} dog. The end."
            probabilities[text] = probability * 1 / 1.5 / 2
    return probabilities


def test_stories_have_60_to_250_words(texts):
    lengths = [len(words(text)) for text in texts[:2000]]
    assert min(lengths) >= 60
    assert max(lengths) <= 250


def test_at_least_a_thousand_distinct_words_and_no_story_twice(texts):
    assert len({word for text in texts for word in words(text)}) >= 1000
    assert len(set(texts)) == COUNT


def test_words_have_a_long_tail(texts):
    counts = Counter(word for text in texts for word in words(text)).values()
    assert sum(count < COUNT / 100 for count in counts) > 200  # in less than a story in a hundred
    assert max(counts) > COUNT  # and the commonest are in every story


def test_a_story_depends_on_seed_and_index_alone(shipped, stories):
    fresh = StoryGrammar.from_file(SHIPPED)
    for index in (9, 3, 0, 7):
        assert fresh.story(0, index) == stories[index] == shipped.story(0, index)
    assert shipped.story(1, 3).text != stories[3].text


def test_the_stream_of_a_seed_does_not_change_between_versions(tiny):
    assert [tiny.story(5, index).text for index in (0, 1, 2**40)] == [
        "Eve met Ann. She sang with her dog. The end.",
        "Eve sat alone. The end.",
        "Eve met Ann. She ran with her dog. The end.",
    ]


def test_every_story_has_one_derivation_with_the_reported_probability(shipped, stories):
    for story in stories[:300]:
        found = shipped.derivations(story.text)
        assert found == [pytest.approx(story.log_probability, abs=1e-9)], story.text


def test_every_derivation_of_an_ambiguous_text_is_found(tmp_path):
    content = "lists: {}\nsymbols: {story: ['[a|ab][bc|c]', {text: abc, weight: 3}]}"
    found = grammar_of(tmp_path, content).derivations("abc")
    assert sorted(math.exp(log) for log in found) == pytest.approx([1 / 16, 1 / 16, 3 / 4])


def test_a_variable_drawn_again_stands_for_the_later_word(tmp_path):
    grammar = grammar_of(tmp_path, LISTS + "symbols: {story: ['{h=child}, {h=child}: {h}']}")
    assert grammar.story(0, 0).text in {
        f"{a}, {b}: {b}" for a in ("Ann", "Bob") for b in ("Ann", "Bob")
    }
    assert len(grammar.derivations("Ann, Bob: Bob")) == 1
    assert grammar.derivations("Ann, Bob: Ann") == []


@pytest.mark.parametrize("damage", ["swap", "drop", "extend", "cut", "lower"])
def test_a_damaged_story_is_not_in_the_language(shipped, texts, damage):
    for text in texts[:50]:
        parts = text.split(" ")
        middle = len(parts) // 2
        damaged = {
            "swap": [*parts[:middle], parts[middle + 1], parts[middle], *parts[middle + 2 :]],
            "drop": parts[:middle] + parts[middle + 1 :],
            "extend": [*parts, "The", "end."],
            "cut": parts[:-1],
            "lower": [parts[0].lower(), *parts[1:]],
        }[damage]
        assert shipped.derivations(" ".join(damaged)) == []


def test_a_hero_who_changes_name_half_way_is_not_in_the_language(shipped, texts):
    groups = yaml.safe_load(SHIPPED.read_text())["lists"]["child"]
    girls_and_boys = [[name.strip() for name in group["words"].split(",")] for group in groups]
    gender = {name: names for names in girls_and_boys for name in names}
    changed = 0
    for text in texts[:100]:
        hero = next(word for word in re.findall(r"\w+", text) if word in gender)
        other = next(name for name in gender[hero] if not re.search(rf"\b{name}\b", text))
        cut = text.index("\n")
        rest = re.sub(rf"\b{hero}\b", other, text[cut:])
        changed += rest != text[cut:]
        if rest != text[cut:]:
            assert shipped.derivations(text[:cut] + rest) == [], text
    assert changed > 50


def test_probabilities_are_the_product_of_the_choices(tiny):
    expected = tiny_probabilities()
    found = {tiny.story(0, index) for index in range(4000)}
    assert {story.text for story in found} == set(expected)
    for story in found:
        assert math.exp(story.log_probability) == pytest.approx(expected[story.text], rel=1e-12)
        assert tiny.derivations(story.text) == [pytest.approx(story.log_probability, abs=1e-12)]
    assert math.fsum(math.exp(story.log_probability) for story in found) == pytest.approx(1)


def test_stories_are_as_frequent_as_their_probability_says(tiny):
    expected = tiny_probabilities()
    count = 20_000
    seen = Counter(tiny.story(1, index).text for index in range(count))
    for text, probability in expected.items():
        deviation = math.sqrt(count * probability * (1 - probability))
        assert abs(seen[text] - count * probability) < 5 * deviation, text


def test_the_mean_negative_log_probability_is_the_entropy(tiny):
    probabilities = tiny_probabilities().values()
    entropy = -sum(p * math.log(p) for p in probabilities)
    second = sum(p * math.log(p) ** 2 for p in probabilities)
    count = 5000
    mean = -sum(tiny.story(2, index).log_probability for index in range(count)) / count
    assert abs(mean - entropy) < 5 * math.sqrt((second - entropy**2) / count)


def test_the_shipped_entropy_is_that_of_varied_but_predictable_text(stories):
    nats = -sum(story.log_probability for story in stories)
    assert 0.3 < nats / sum(len(words(story.text)) for story in stories) < 1
    assert max(story.log_probability for story in stories) < -2 * math.log(COUNT)  # no duplicates


def test_no_story_is_the_beginning_of_another(texts):
    assert all(text.endswith("The end.") and text.count("The end.") == 1 for text in texts)
    ordered = sorted(texts)
    assert not any(
        after.startswith(before) for before, after in itertools.pairwise(ordered) if before != after
    )


@pytest.mark.parametrize(
    "mistake",
    [
        r"\b[Aa] [aeiouAEIOU]", r"\b[Aa]n [^aeiouAEIOU]", r"\b(\w+) \1\b", "  ", r" \n|\n ", " [.,!?]",
        r"\b[Aa] (?:honor|honest|hour)", r"[{}\[\]|=]", r"[.!?] [a-z]", r'(?:^|[.!?\n] ?)"[a-z]', r"(?:^|\n)[^A-Z\"]",
        r"[.!?,]{2}", r'[^.,!?]"(?: |\n|$)(?=[A-Z])', r"(?<!as if )\bit (?:were|are|have)\b",
        r"(?i)\b(?:he|she) (?:were|are|have)\b", r"(?i)\b(?:they|we) (?:was|is|has)\b", r"[^ -~\n]",
    ],
)  # fmt: skip
def test_no_story_has_this_mistake(texts, mistake):
    pattern = re.compile(mistake)
    found = [match.group() for text in texts if (match := pattern.search(text))]
    assert not found, Counter(found).most_common(5)


def test_quotes_are_balanced_in_every_paragraph(texts):
    for text in texts:
        for paragraph in text.split("\n"):
            assert paragraph.count('"') % 2 == 0, paragraph


@pytest.mark.parametrize(
    ("content", "key", "problem"),
    [
        ("lists: [", "", "is not valid YAML"),
        ("", "the file", "two mappings, `lists` and `symbols`"),
        ("lists: []\nsymbols: {}", "lists", "has to be a mapping"),
        (LISTS + "symbols: {x: [a]}", "symbols", "no symbol 'story', where stories begin"),
        (LISTS + "symbols: {story: []}", "symbols.story", "a list of one template or more"),
        (LISTS + "symbols: {story: [a], child: [b]}", "symbols.child", "has this name too"),
        (LISTS + "symbols: {story: ['{nope}']}", "symbols.story", "'nope' is no symbol, no word list"),
        (LISTS + "symbols: {story: ['{x=nope}']}", "symbols.story", "there is no word list 'nope'"),
        (LISTS + "symbols: {story: ['{child.wings}']}", "symbols.story", "has no 'wings'"),
        (LISTS + "symbols: {story: ['{h=child} {h.wings}']}", "symbols.story", "no attribute 'wings'"),
        (LISTS + "symbols: {story: [{text: a, weight: 0}]}", "symbols.story", "above 0"),
        (LISTS + "symbols: {story: [{text: a, weight: -1}]}", "symbols.story", "above 0"),
        (LISTS + "symbols: {story: [{text: a, weight: big}]}", "symbols.story", "above 0"),
        (LISTS + "symbols: {story: [{test: a}]}", "symbols.story", "a mapping of `text`"),
        (LISTS + "symbols: {story: [3]}", "symbols.story", "has to be a text"),
        (LISTS + "symbols: {story: ['a [b|c']}", "symbols.story", "a bracket is not matched"),
        (LISTS + "symbols: {story: ['a {b']}", "symbols.story", "is not of the form"),
        ("lists: {child: []}\nsymbols: {story: [a]}", "lists.child", "a list of groups"),
        ("lists: {child: [{words: ''}]}\nsymbols: {story: [a]}", "lists.child", "with `words`"),
        (LISTS + "symbols: {story: [{text: a, weight: .nan}]}", "symbols.story", "finite number above 0"),
        (LISTS + "symbols: {story: [{text: a, weight: .inf}]}", "symbols.story", "finite number above 0"),
        (LISTS + "symbols: {story: ['{h} met {h=child}']}", "symbols.story", "no variable held by then"),
        (LISTS + "symbols: {story: ['{a} {h}'], a: ['{h=child}', b]}", "symbols.story", "held by then"),
        (LISTS + "symbols: {story: ['{story} x', x]}", "symbols.story", "contains itself"),
        (LISTS + "symbols: {story: [x], other: [y]}", "symbols.other", "no story uses it"),
        (LISTS + "symbols:\n  story: [a]\n  story: [b]", "story", "stands there twice"),
        ("lists: {one: [{words: A}]}\nsymbols: {story: ['{a=one} {b=one!a}']}", "symbols.story", "no word to choose"),
        ("lists: {child: [{words: 'A, A'}]}\nsymbols: {story: [a]}", "lists.child", "stands there twice"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_by_file_and_key(tmp_path, content, key, problem):
    with pytest.raises(UserError) as refusal:
        grammar_of(tmp_path, content)
    message = str(refusal.value)
    assert str(tmp_path / "grammar.yaml") in message
    assert key in message
    assert problem in message


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match="nowhere.yaml cannot be read"):
        StoryGrammar.from_file(tmp_path / "nowhere.yaml")
