"""A lineage that wants more real text than there is is refused before anything runs."""

import copy

import pytest

from ouroboros.errors import UserError
from ouroboros.planning.real_text import check_real_text, has_real_text

LINEAGE = {
    "regime": "fresh", "regime_settings": {"rho": 0.1}, "initial_sequences": 1000, "generations": 40,
    "corpus": "mine", "sampling": {"sequences": 1000, "sequence_length": 100},
}  # fmt: skip
WANTED = 1000 + 39 * 100


def facts(tokens=None, size=0, **changes):
    """Of a corpus whose tokens, a story each, are counted, or of files of so many bytes."""
    split = {"tokens": tokens, "stories": 0}
    counts = tokens and dict.fromkeys(("train", "heldout", "validation"), split)
    settings = {"source": "files", "held_out": 0.05, "validation_share": 0.1}
    corpus = {
        "settings": settings,
        "counts": counts,
        "bytes": {"files": size},
        "tokenizer": {"source": "gpt2"},
    }
    return {
        "lineages": {"l": copy.deepcopy(LINEAGE) | changes},
        "corpora": {"mine": corpus},
        "plan": {"corpora": {}},
    }


def test_what_is_counted_is_compared_exactly():
    check_real_text(facts(tokens=WANTED * 100))
    with pytest.raises(UserError, match=r"wants 4,900 real .* 3,900 fresh .* mine has 4,899\."):
        check_real_text(facts(tokens=WANTED * 100 - 1))


def test_an_estimate_has_to_be_clear():
    check_real_text(facts(size=WANTED * 100 * 4))
    with pytest.raises(UserError, match=r"mine has about 2,1\d\d\."):
        check_real_text(facts(size=WANTED * 100 * 2))


def test_other_regimes_want_their_first_sequences_alone():
    check_real_text(facts(tokens=100_000, regime="replace", regime_settings={}))
    with pytest.raises(UserError, match="wants 1,000 real"):
        check_real_text(facts(tokens=99_000, regime="replace", regime_settings={}))


def test_of_the_hub_nothing_is_known_beforehand():
    unknown = facts(size=0)
    unknown["corpora"]["mine"]["settings"]["source"] = "hub"
    check_real_text(unknown)


def test_how_many_generations_have_real_text():
    counted = facts(tokens=WANTED * 100)
    assert has_real_text(counted, "l", 40) and not has_real_text(counted, "l", 41)
    # within the margin of a refusal, and yet not to be proposed
    estimated = facts(size=int(WANTED * 100 * 3.7))
    check_real_text(estimated)
    assert has_real_text(estimated, "l", 1) and not has_real_text(estimated, "l", 40)
