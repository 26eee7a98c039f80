"""Sizes of corpora and tasks: counted, given, or assumed with a note."""

from plan_inputs import CORPORA

from ouroboros.planning.data_sizes import corpus_size, task_size

HUB = {"source": "hub", "path": "roneneldan/TinyStories", "held_out": 0.05}


def test_a_corpus_of_the_hub_is_taken_for_tinystories_and_says_so():
    sizes, (note,) = corpus_size("tinystories", HUB, {}, None, 0)
    assert sizes["train"]["stories"] + sizes["heldout"]["stories"] == 2_119_719
    assert sizes["validation"] == {"stories": 21_990, "tokens": 21_990 * 200}
    assert "2,119,719 stories" in note


def test_a_given_size_is_taken_and_a_counted_one_before_it():
    given = {"stories": 100, "validation_stories": 10, "tokens_per_story": 50}
    sizes, notes = corpus_size("mine", HUB, given, None, 0)
    assert sizes == {
        "train": {"stories": 95, "tokens": 4750}, "heldout": {"stories": 5, "tokens": 250},
        "validation": {"stories": 10, "tokens": 500},
    }  # fmt: skip
    assert notes == []
    assert corpus_size("mine", HUB, given, CORPORA["own"], 0) == (CORPORA["own"], [])


def test_files_are_weighed():
    settings = {"source": "files", "held_out": 0.05, "validation_share": 0.1}
    sizes, (note,) = corpus_size("mine", settings, {}, None, 80_000)
    assert sizes["train"]["tokens"] == 95 * 200 and sizes["validation"]["stories"] == 10
    assert "80,000 bytes" in note


def test_examples_are_counted_where_there_are_files():
    assert task_size("t", {"kind": "sst2"}, {}, {"train": 7, "validation": 3}) == ((7, 3, 12), [])
    size, (note,) = task_size("t", {"kind": "sst2"}, {}, {})
    assert size[:2] == (67_349, 872) and "67,349 + 872 examples" in note
