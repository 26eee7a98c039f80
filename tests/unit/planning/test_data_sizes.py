"""Sizes of corpora and tasks: counted, given, or assumed with a note."""

import pytest
from plan_inputs import CORPORA

from ouroboros.planning.data_sizes import (
    bytes_per_token,
    corpus_size,
    count_examples,
    share_beyond,
    task_size,
)

HUB = {"source": "hub", "path": "roneneldan/TinyStories", "held_out": 0.05}
GPT2 = {"source": "gpt2"}


def test_a_corpus_of_the_hub_is_taken_for_tinystories_and_says_so():
    sizes, (note,) = corpus_size("tinystories", HUB, {}, None, {}, GPT2)
    assert sizes["train"]["stories"] + sizes["heldout"]["stories"] == 2_119_719
    assert sizes["validation"] == {"stories": 21_990, "tokens": 21_990 * 200}
    assert "2,119,719 stories" in note


def test_a_given_size_is_taken_and_a_counted_one_before_it():
    given = {"stories": 100, "validation_stories": 10, "tokens_per_story": 50}
    sizes, notes = corpus_size("mine", HUB, given, None, {}, GPT2)
    assert sizes == {
        "train": {"stories": 95, "tokens": 4750}, "heldout": {"stories": 5, "tokens": 250},
        "validation": {"stories": 10, "tokens": 500},
    }  # fmt: skip
    assert notes == []
    assert corpus_size("mine", HUB, given, CORPORA["own"], 0, GPT2) == (CORPORA["own"], [])


def test_files_are_weighed():
    settings = {"source": "files", "held_out": 0.05, "validation_share": 0.1}
    size = {"files": 80_000, "validation_files": 0}
    sizes, (note,) = corpus_size("mine", settings, {}, None, size, GPT2)
    assert sizes["validation"]["stories"] == 10 and sizes["heldout"]["stories"] == 4
    assert sizes["train"] == {"stories": 86, "tokens": 86 * 200}  # of 100
    assert "80,000 bytes" in note
    few, _ = corpus_size("mine", settings | {"validation_stories": 4}, {}, None, size, GPT2)
    assert few["validation"]["stories"] == 4 and few["train"] == sizes["train"]


def test_files_for_validation_are_weighed_by_themselves():
    settings = {"source": "files", "held_out": 0.05, "validation_share": 0.1}
    size = {"files": 80_000, "validation_files": 24_000}
    sizes, _ = corpus_size("mine", settings, {}, None, size, GPT2)
    assert {split: found["stories"] for split, found in sizes.items()} == {
        "train": 95, "heldout": 5, "validation": 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    "size, expected", [(300, 2.4), (512, 2.4), (1024, 3.2), (1448, 3.45), (5000, 4.0), (None, 4.0)]
)
def test_a_token_of_a_smaller_vocabulary_is_shorter(size, expected):
    tokenizer = {"source": "train", "vocabulary_size": size} if size else GPT2
    assert bytes_per_token(tokenizer) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    "context, share", [(2, 0.99), (100, 0.5685), (200, 0.137), (300, 0.0585), (600, 0.0046)]
)
def test_tokens_beyond_the_context_are_those_of_long_stories(context, share):
    assert share_beyond(context, 200) == pytest.approx(share, rel=0.02)


def test_a_grammars_stories_have_as_many_tokens_as_its_tokenizer_makes():
    settings = {"source": "grammar", "held_out": 0.05, "stories": 100, "validation_stories": 10}
    tokenizer = {"source": "train", "vocabulary_size": 1024}
    sizes, notes = corpus_size("grammar", settings, {}, None, {}, tokenizer)
    assert sizes["validation"] == {"stories": 10, "tokens": 2159} and notes == []


def test_lines_of_a_tasks_own_files_are_counted(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n\n{}\n")
    own = str(tmp_path / "a.jsonl")
    assert count_examples({"train": [own, own], "validation": [own]}) == {
        "train": 4, "validation": 2,
    }  # fmt: skip
    assert count_examples({"train": [own], "validation": ["b.parquet"]}) == {}


def test_examples_are_counted_where_there_are_files():
    assert task_size("t", {"kind": "sst2"}, {}, {"train": 7, "validation": 3}) == ((7, 3, 12), [])
    size, (note,) = task_size("t", {"kind": "sst2"}, {}, {})
    assert size[:2] == (67_349, 872) and "67,349 + 872 examples" in note
