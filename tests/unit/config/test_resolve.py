"""The configuration: what is filled in, and what is refused in which words."""

import copy
import re

import pytest
from tools import CONFIG, SCHEMA

from ouroboros.config.checks import check_reserved
from ouroboros.config.resolve import resolve
from ouroboros.config.schema import validate
from ouroboros.errors import UserError
from ouroboros.pipeline.declarations import metrics


def changed(path, value):
    """A copy of the shipped configuration with one key set."""
    config = copy.deepcopy(CONFIG)
    *parents, last = path.split("/")
    place = config
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return config


def test_the_shipped_configuration_is_the_paper():
    lineage = resolve(CONFIG, SCHEMA)["lineages"]["33m"]
    assert lineage["model"] == {
        "layers": 4, "hidden_size": 768, "heads": 16, "window": 256, "context": 512,
        "positions": 2048, "initial_std": 0.02,
    }  # fmt: skip
    assert lineage["training"]["batch"] == 320
    assert lineage["training"]["learning_rate"] == 5e-4
    assert lineage["sampling"]["sequences"] == 1_000_000
    assert lineage["sampling"]["sequence_length"] == 600
    assert lineage["generations"] == 40


def test_the_smaller_model_is_fine_tuned_beside_the_gpu():
    """Its generations wait for the GPU, which 41 models x 8 tasks would hold for hours."""
    lineages = resolve(CONFIG, SCHEMA)["lineages"]
    assert lineages["1m"]["resources"]["classification"]["gpu"] == 0
    assert all(lineages["1m"]["resources"][rule]["gpu"] == 1 for rule in ("train", "sample", "ppl"))
    assert lineages["33m"]["resources"]["classification"]["gpu"] == 1


def test_three_lines_of_ones_own_are_enough():
    config = changed("corpora/mine", {"source": "files", "files": ["mine.txt"]})
    config["lineages"]["mine"] = {"corpus": "mine", "model": "1m"}
    lineage = resolve(config, SCHEMA)["lineages"]["mine"]
    assert (lineage["tokenizer"], lineage["seed"], lineage["regime"]) == ("gpt2", 0, "replace")
    assert lineage["training"] == resolve(CONFIG, SCHEMA)["lineages"]["1m"]["training"]


def test_own_text_needs_no_network_and_no_number_of_sequences():
    config = changed("corpora/mine", {"source": "files", "files": ["mine.txt"]})
    config["lineages"]["mine"] = {"corpus": "mine", "model": "1m"}
    lineages = resolve(config, SCHEMA)["lineages"]
    assert lineages["mine"]["evaluation"]["classification"]["tasks"] == []
    assert lineages["mine"]["sampling"]["sequences"] == "auto"
    assert lineages["1m"]["sampling"]["sequences"] == 1_000_000
    assert lineages["1m"]["evaluation"]["classification"]["tasks"]


def like(**entries):
    """The lineages of the shipped configuration with further ones."""
    config = copy.deepcopy(CONFIG)
    config["lineages"] |= entries
    return resolve(config, SCHEMA)["lineages"]


def test_a_lineage_like_another_takes_what_it_does_not_say():
    made = like(mine={"like": "demo", "generations": 3}, same={"like": "mine"})
    demo = made["demo"]
    assert made["mine"] == demo | {"name": "mine", "generations": 3}
    assert made["same"] == made["mine"] | {"name": "same"}


def test_overrides_of_the_other_hold_but_for_parts_that_are_named():
    base = {
        "corpus": "grammar", "model": "1m", "seeds": [1, 2],
        "overrides": {
            "model": {"window": 4},
            "training": {"batch": 2},
            "resources": {"train": {"gpu": 0, "threads": 2}},
        },
    }  # fmt: skip
    mine = {
        "like": "base", "model": "33m", "seed": 5,
        "overrides": {"training": {"learning_rate": 0.1}, "resources": {"train": {"threads": 3}}},
    }  # fmt: skip
    made = like(base=base, mine=mine)
    assert "mine-s1" not in made and made["mine"]["seed"] == 5
    assert made["mine"]["model"] == made["33m"]["model"]
    assert made["mine"]["training"]["batch"] == 2
    assert made["mine"]["training"]["learning_rate"] == 0.1
    train = made["mine"]["resources"]["train"]
    assert (train["gpu"], train["threads"]) == (0, 3)
    assert made["base-s1"]["model"]["window"] == 4


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"mine": {"like": "dmeo"}}, "lineages.mine.like: .* Did you mean 'demo'"),
        ({"mine": {"like": "mine"}}, "mine is like mine: a circle"),
        ({"a": {"like": "b"}, "b": {"like": "a"}}, "a is like b is like a: a circle"),
        ({"mine": {"corpus": "grammar"}}, "lineages.mine: the key 'model' is missing"),
    ],
)
def test_what_no_lineage_can_be_like(entries, message):
    with pytest.raises(UserError, match=message):
        like(**entries)


def test_the_default_family_is_the_same_named_or_not():
    """Rules have a model's settings as params: one more key would run what is finished again."""
    named = resolve(changed("models/1m/family", "gpt_neo"), SCHEMA)
    assert named == resolve(CONFIG, SCHEMA)
    assert "family" not in named["lineages"]["1m"]["model"]


@pytest.mark.parametrize("seeds", [{}, {"seeds": [4, 5]}])
@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("corpus", {"seed": 5}),
        ("tokenizer", {"vocabulary_size": 500}),
        ("model", {"window": 4}),
        ("training", {"learning_rate": 0.1}),
        ("sampling", {"temperature": 0.5}),
        ("evaluation", {"classification": {"epochs": 9}}),
        ("resources", {"train": {"mem_mb": 77}, "text": {"runtime": 7}}),  # text: a metric's own
    ],
)
def test_an_override_is_of_one_lineage_alone(part, changes, seeds):
    """Also of others that share the entry, before and after it, and of the configuration itself."""
    config = copy.deepcopy(CONFIG)
    del config["resources"]["text"], config["comparisons"]
    same = config["lineages"].pop("small")
    del same["overrides"]
    config["lineages"] = {"before": same, "changed": {**same, **seeds}, "after": same}
    plain = resolve(config, SCHEMA)
    config["lineages"]["changed"] = {**same, **seeds, "overrides": {part: changes}}
    given = copy.deepcopy(config)
    resolved = resolve(config, SCHEMA)
    assert config == given
    for name, lineage in resolved["lineages"].items():
        other = plain["lineages"][name]
        assert {key for key in lineage if lineage[key] != other[key]} == (
            {part} if name.startswith("changed") else set()
        ), name
    for section, entries in plain.items():
        if section != "lineages":  # a corpus or tokenizer that is changed is one more
            assert {**resolved[section], **entries} == resolved[section], section


def test_an_override_changes_the_keys_that_it_names():
    changes = {"training": {"learning_rate": 0.1}, "resources": {"train": {"mem_mb": 77}}}
    lineage = resolve(changed("lineages/33m/overrides", changes), SCHEMA)["lineages"]["33m"]
    plain = resolve(CONFIG, SCHEMA)["lineages"]["33m"]
    assert lineage["training"] == {**plain["training"], "learning_rate": 0.1}
    resources = plain["resources"]
    assert lineage["resources"] == {**resources, "train": {**resources["train"], "mem_mb": 77}}


def test_a_metrics_own_resources_are_there_for_a_lineage_and_in_general():
    config = copy.deepcopy(CONFIG)
    del config["resources"]["text"], config["resources"]["ppl"]
    resolved = resolve(config, SCHEMA)
    for resources in (resolved["resources"], resolved["lineages"]["33m"]["resources"]):
        assert {name: resources[name] for name in ("text", "ppl")} == {
            name: {**resources[name], **metrics()[name].RESOURCES} for name in ("text", "ppl")
        }


def test_what_is_resolved_shares_nothing_with_what_it_was_made_of():
    config = copy.deepcopy(CONFIG)
    config["evaluation"]["paper"]["classification"] = {"tasks": []}
    first = resolve(config, SCHEMA)
    expected = copy.deepcopy(first)
    lineage = first["lineages"]["33m"]
    lineage["evaluation"]["classification"]["tasks"].append("mine")  # given
    lineage["training"]["betas"][0] = 0.0  # a default
    lineage["resources"]["train"]["gpu"] = 8
    first["plan"]["gpus"].append(3)
    assert resolve(config, SCHEMA) == expected


def test_an_overridden_corpus_is_a_corpus_of_its_own():
    config = changed("lineages/small/overrides/corpus", {"seed": 5})
    config["lineages"]["other"] = {"corpus": "grammar", "model": "1m"}
    resolved = resolve(config, SCHEMA)
    assert resolved["lineages"]["small"]["corpus"] == "grammar.small"
    assert resolved["corpora"]["grammar.small"]["seed"] == 5
    assert resolved["corpora"]["grammar"]["seed"] == 0


def test_every_key_of_the_schema_has_a_sentence_and_a_type():
    def walk(node, path):
        for key, entry in node.get("properties", {}).items():
            where = f"{path}.{key}"
            target = SCHEMA["$defs"][entry["$ref"].rsplit("/")[-1]] if "$ref" in entry else entry
            assert (entry.get("description") or target["description"]).endswith("."), where
            assert {"type", "enum", "const", "anyOf", "$ref"} & {*entry, *target}, where
            walk(entry, where)

    walk(SCHEMA, "config")
    for name, definition in SCHEMA["$defs"].items():
        if definition.get("type") == "object" and name != "names":
            assert definition.get("additionalProperties") is False or "allOf" in definition, name
            walk(definition, name)


def integers(node, path=""):
    """Place and definition of every value of the schema that may be a whole number."""
    branches = node.get("anyOf", [node])
    found = [branch for branch in branches if "integer" in branch.get("type", "")]
    yield from ((path, node, branch) for branch in found)
    for key, entry in node.get("properties", {}).items():
        yield from integers(entry, f"{path}.{key}")
    if "items" in node:
        yield from integers(node["items"], f"{path}[]")


INTEGERS = [found for name, entry in SCHEMA["$defs"].items() for found in integers(entry, name)]


def test_the_schemas_whole_numbers_are_found():
    places = {place for place, *_ in INTEGERS}
    assert len(places) > 60
    assert places >= {
        "training.epochs", "lineage.seeds[]", "plan.gpus[]", "plan.cores", "sample_job.batch",
        "cluster.max_runtime", "gpt_neo_model.layers", "evaluation.context", "max_length",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("definition", "branch"),
    [found[1:] for found in INTEGERS],
    ids=[found[0] for found in INTEGERS],
)
def test_a_whole_number_may_have_a_point(definition, branch):
    """It is an integer then: json and Python, which Snakemake's params go through, tell them apart."""
    number = branch.get("minimum", 1)
    place = {"properties": {"x": definition}}
    assert repr(validate({"x": float(number)}, place, SCHEMA, "config")) == repr({"x": number})
    hint = f"YAML reads {number}.0e0 as text: write {number}."
    for wrong, said in ((number + 0.5, ""), (1e300, ""), (f"{number}.0e0", hint)):
        with pytest.raises(UserError, match=rf"^config: x: .*{re.escape(str(wrong))}.*{said}"):
            validate({"x": wrong}, place, SCHEMA, "config")


def test_settings_are_the_same_with_points_in_whole_numbers():
    """So that what was made with the one is not made again with the other."""

    def of(number):
        config = copy.deepcopy(CONFIG)
        del config["lineages"]["33m"], config["comparisons"]
        config["sampling"]["small"] |= {"sequences": number(600), "shards": number(2)}
        config["training"]["paper"]["epochs"] = number(3)
        config["plan"] = {"gpus": [number(1), number(2)]}
        config["lineages"]["small"] |= {"seeds": [number(4), number(5)], "generations": number(2)}
        config["lineages"]["small"]["overrides"] = {
            "model": {"layers": number(3)},
            "resources": {"sample": {"batch": number(16), "mem_mb": number(900)}},
        }
        return config

    given = of(float)
    resolved = resolve(given, SCHEMA)
    assert repr(resolved) == repr(resolve(of(int), SCHEMA))
    assert repr(given) == repr(of(float))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("lineage", {}, "config: unknown key 'lineage'. Did you mean 'lineages'?"),
        ("models/1m/layer", 3, "config: models.1m: unknown key 'layer'. Did you mean 'layers'?"),
        ("models/1m/layers", 0, "config: models.1m.layers: 0 is less than the minimum of 1"),
        ("models/1m/layers", "eight", "config: models.1m.layers: 'eight' is not a whole number"),
        ("models/1m/layers", 2.5, "2.5 is not a whole number"),
        ("models/1m", 8, "config: models.1m: 8 is not a mapping"),
        ("models/1m", {"layers": 8, "heads": 2}, "the key 'hidden_size' is missing"),
        ("models/bad name", {}, "bad name"),
        ("models/..", {}, "the name '..' cannot be used"),
        ("models/1m/heads", 7, "hidden_size 64 is not divisible by heads 7"),
        ("models/1m/family", "gpt-neo", "models.1m.family: 'gpt-neo' is not one of gpt_neo"),
        (
            "lineages/1m/overrides",
            {"model": {"family": "neo"}},
            "overrides.model.family: 'neo' is not",
        ),
        ("models/1m/positions", 300, "sequence_length 600 is more than the model's positions"),
        ("training/paper/learning_rate", "5e-4", "YAML reads 5e-4 as text: write 0.0005"),
        ("training/paper/learning_rate", "1e-5", "YAML reads 1e-5 as text: write 1.0e-05"),
        ("sampling/paper/sequences", "1.0e6", "YAML reads 1.0e6 as text: write 1000000"),
        ("training/paper/learning_rate", -1, "-1 is less than or equal to the minimum of 0"),
        ("training/paper/betas", [0.9], "betas: .*too short"),
        ("training/paper/precision", "fp8", "'fp8' is not one of fp16, bf16, fp32"),
        ("training/paper/epochs", "three", "'three' does not fit. `auto` finds the number"),
        (
            "training/paper/schedule",
            "linear",
            "schedule linear has to know when a training ends, .*Set epochs to a number",
        ),
        ("training/paper/schedule", "wsd", "schedule: 'wsd' is not one of linear, cosine"),
        ("sampling/paper/temperature", 0, "temperature: 0 is less than or equal to"),
        ("sampling/paper", {"sequences": 3, "shards": 4}, "shards 4 is more than sequences .3."),
        ("corpora/tinystories/source", "web", "'web' is not one of hub, files, grammar"),
        ("corpora/tinystories/files", [], "corpora.tinystories: unknown key 'files'"),
        ("corpora/x", {"source": "files"}, "corpora.x: the key 'files' is missing"),
        ("corpora/x", {"source": "files", "files": []}, "corpora.x.files: "),
        ("tokenizers/big", {"source": "train", "vocabulary_size": 2000000}, "maximum of 1048576"),
        ("lineages/33m/model", "33n", "there is no '33n' under `models`. Did you mean '33m'?"),
        ("lineages/33m/corpus", "tinystory", "Did you mean 'tinystories'?"),
        ("lineages/33m/seed", -1, "lineages.33m.seed: -1 is less than the minimum of 0"),
        ("lineages/33m/generations", True, "true is not a whole number"),
        ("lineages/33m/overrides", {"train": {}}, "unknown key 'train'. Did you mean 'training'?"),
        (
            "lineages/33m/overrides",
            {"training": {"learning_rte": 1}},
            "lineages.33m.overrides.training: unknown key 'learning_rte'. Did you mean 'learning_rate'?",
        ),
        (
            "lineages/33m/overrides",
            {"resources": {"trian": {}}},
            "no rule 'trian'. Did you mean 'train'?",
        ),
        ("lineages/33m/overrides", {"resources": {"train": {"gpus": 2}}}, "unknown key 'gpus'"),
        ("lineages/train", {"corpus": "grammar", "model": "1m"}, "this name is taken"),
        ("comparisons/33m", ["33m"], "comparisons.33m: a lineage has this name already"),
        ("comparisons/both", ["33m", "2m"], "no lineage '2m'"),
        ("resources/train/gpu", 1.5, "resources.train.gpu: 1.5 is not a whole number"),
    ],
)
def test_what_is_wrong_is_said(path, value, message):
    with pytest.raises(UserError, match=message):
        check_reserved(resolve(changed(path, value), SCHEMA), {"train"})


def test_seeds_are_lineages_and_their_key_is_the_comparison_of_them():
    config = changed("lineages/small/seeds", [3, 1])
    config["lineages"]["small"]["overrides"]["corpus"] = {"stories": 50}
    del config["lineages"]["demo"]  # which is like it
    config["comparisons"] = {"both": ["33m", "small"]}
    resolved = resolve(config, SCHEMA)
    first, second = (resolved["lineages"][f"small-s{seed}"] for seed in (3, 1))
    assert (first["seed"], second["seed"]) == (3, 1)
    assert {key for key in first if first[key] != second[key]} == {"name", "seed"}
    assert first["corpus"] == "grammar.small"  # changed for all of them, so one corpus
    assert "small" not in resolved["lineages"]
    assert resolved["comparisons"] == {
        "both": ["33m", "small-s3", "small-s1"], "small": ["small-s3", "small-s1"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "path, value, said",
    [
        ("lineages/small-s1", {"corpus": "grammar", "model": "1m"}, "'small-s1', and there is one"),
        ("lineages/small/seed", 4, "give `seed` or `seeds`, not both"),
        ("comparisons/small", ["33m"], "the lineage of this name has seeds"),
    ],
)
def test_seeds_that_cannot_be(path, value, said):
    config = changed(path, value)
    config["lineages"]["small"]["seeds"] = [1, 2]
    with pytest.raises(UserError, match=said):
        resolve(config, SCHEMA)


@pytest.mark.parametrize(
    "plan, said",
    [
        ({"fit": "2 hours"}, "plan.fit: '2 hours' does not fit. Time that the run of one lineage"),
        ({"fit": "2h"}, "plan.fit: 2h is for one lineage"),
        ({"fit": "2h", "groups": ["33m", "1m"]}, "plan='{fit: 2h, groups: [33m]}'"),
        ({"fit": "2h", "groups": ["paper"]}, "which `groups` names"),
        ({"gpu": 3}, "plan: unknown key 'gpu'. Did you mean 'gpus'?"),
        ({"rates": {"34m": {"train": 1.0}}}, "plan.rates: there is no '34m'. Did you mean '33m'?"),
        ({"rates": {"33m": {"tain": 1.0}}}, "unknown key 'tain'. Did you mean 'train'?"),
        ({"gpus": [0]}, "less than the minimum"),
    ],
)
def test_plans_that_cannot_be(plan, said):
    with pytest.raises(UserError) as error:
        resolve(changed("plan", plan), SCHEMA)
    assert said in str(error.value)


def test_every_mistake_is_told_up_to_five():
    config = copy.deepcopy(CONFIG)
    config["models"]["1m"] |= {"layers": "eight", "heads": 0}
    config["training"]["paper"] |= {"learning_rte": 1, "batch": 0, "betas": [2, 2], "patience": -1}
    with pytest.raises(UserError) as error:
        resolve(config, SCHEMA)
    told = str(error.value).splitlines()
    assert len(told) == 5 and len({line.split(": ")[1] for line in told}) == 5
    config["training"] = CONFIG["training"]
    with pytest.raises(UserError) as error:
        resolve(config, SCHEMA)
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == [
        "models.1m.layers", "models.1m.heads"
    ]  # fmt: skip
