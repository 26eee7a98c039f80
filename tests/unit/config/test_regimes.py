"""A lineage's regime in the configuration: a name or a mapping, its settings, and combinations that make no sense."""

import copy
import re

import pytest
import yaml
from tools import CONFIG, REPOSITORY, SCHEMA

from ouroboros.config.regimes import regimes
from ouroboros.config.resolve import resolve
from ouroboros.errors import UserError

GUIDE = REPOSITORY / "docs/regimes.md"
PAPERS = {"corpus": "tinystories", "model": "1m", "sampling": "paper", "evaluation": "paper"}
COUNTED = {
    "like": "demo", "model": "bigrams", "training": "once",
    "overrides": {"evaluation": {"classification": {"tasks": []}}},
}  # fmt: skip


def lineage(**entry):
    """The settings of a lineage of this entry, beside models and training of its kind."""
    config = copy.deepcopy(CONFIG)
    config["models"]["bigrams"] = {"family": "ngram", "order": 2}
    config["training"]["once"] = {"batch": 1, "learning_rate": 1.0, "epochs": 1}
    config["lineages"]["mine"] = entry
    return resolve(config, SCHEMA)["lineages"]["mine"]


def test_a_name_is_a_mapping_with_defaults():
    named, mapped = (
        lineage(**PAPERS, regime="mix"),
        lineage(**PAPERS, regime={"name": "mix", "rho": 0.1}),
    )
    assert named == mapped
    assert (named["regime"], named["regime_settings"]) == ("mix", {"rho": 0.1})


@pytest.mark.parametrize("entry", [{}, {"regime": "replace"}, {"regime": "accumulate"}])
def test_what_is_not_set_is_left_out(entry):
    """Params of rules, and the settings that a report shows, are those of results made before."""
    found = lineage(**PAPERS, **entry)
    assert found["regime"] == entry.get("regime", "replace")
    assert not {"regime_settings", "initial_sequences"} & set(found)
    assert "quirks" not in found["training"]


def test_one_that_is_like_another_names_its_own():
    config = copy.deepcopy(CONFIG)
    config["lineages"]["a"] = {"like": "small", "regime": {"name": "mix", "rho": 0.3}}
    config["lineages"]["b"] = {"like": "a", "regime": "window"}
    config["lineages"]["c"] = {"like": "a", "generations": 3}
    found = resolve(config, SCHEMA)["lineages"]
    assert found["b"]["regime_settings"] == {"k": 2}
    assert found["c"]["regime_settings"] == {"rho": 0.3}


def test_a_model_that_counts():
    assert lineage(**COUNTED, regime="mix")["model"]["delta"] == 0.01
    assert lineage(like="demo", regime="published")["training"]["quirks"] is True


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({**PAPERS, "regime": "mixed"}, "regime.name: 'mixed' is not one of accumulate, "),
        ({**PAPERS, "regime": {"name": "mix", "rho": 2}}, "regime.rho: 2 is greater than the maximum of 1"),
        ({**PAPERS, "regime": {"name": "mix", "k": 2}}, "regime: unknown key 'k'"),
        ({**PAPERS, "regime": {"rho": 0.1}}, "regime: the key 'name' is missing"),
        ({**PAPERS, "regime": "fresh"}, "Set `initial_sequences` of the lineage"),
        ({**PAPERS, "regime": {"name": "accumulate", "cap": 9}}, "cap: 9 is less than the 1000000"),
        ({**PAPERS, "regime": {"name": "growth", "n_0": 30000}}, "generation 40 would train on 1735"),
        ({**PAPERS, "regime": {"name": "counts", "n_real": 0, "n_generated": 0}}, "are both 0"),
        ({**PAPERS, "regime": "history", "generations": 1}, "history begins with generation 2"),
        ({**COUNTED, "regime": "published"}, "ngram has neither mask nor loss"),
        ({**COUNTED, "training": "small"}, "counts its corpus once. Set epochs to 1"),
        ({**COUNTED, "overrides": {}}, "ngram cannot be fine-tuned. Set tasks to"),
    ({**COUNTED, "overrides": {**COUNTED["overrides"], "sampling": {"repetition_penalty": 1.2}}},
     r"repetition_penalty depends on all tokens"),
    ({**COUNTED, "overrides": {**COUNTED["overrides"], "sampling": {"top_k": 1}}},
     r"top_k: 1 is less than .* would be greedy: no distribution is left"),
    ({**COUNTED, "overrides": {**COUNTED["overrides"], "sampling": {"num_beams": 4}}}, r"unknown key 'num_beams'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(entry, said):
    with pytest.raises(UserError, match=said):
        lineage(**entry)


def test_the_guide_shows_how_every_regime_is_asked_for():
    config = copy.deepcopy(CONFIG)
    config["corpora"]["mine"] = {"source": "grammar", "stories": 3000}
    blocks = re.findall(r"```yaml\n(lineages:.*?)```", GUIDE.read_text(), re.DOTALL)
    for block in map(yaml.safe_load, blocks):
        config["lineages"] |= {
            name: entry
            for name, entry in block["lineages"].items()
            if "mine" in (name, entry["like"])
        }
    resolved = resolve(config, SCHEMA)["lineages"]
    assert {of["regime"] for of in resolved.values()} == {*regimes()}
    assert resolved["real_and_own"]["regime_settings"] == {"n_real": 500, "n_generated": 1500}
