"""The experiment's lineages, LMs and files, from the configuration as it is shipped."""

import copy

import pytest
from tools import CONFIG, REPOSITORY, SCHEMA

from ouroboros.config.resolve import resolve
from ouroboros.errors import UserError
from ouroboros.pipeline.experiment import Experiment


def experiment(**lineages):
    """The shipped configuration with further lineages, each on the parts of `small`."""
    config = copy.deepcopy(CONFIG)
    for name, changes in lineages.items():
        config["lineages"][name] = {**config["lineages"]["small"], **changes}
    return Experiment(resolve(config, SCHEMA), REPOSITORY)


@pytest.fixture(scope="module")
def shipped():
    return experiment()


def test_the_recursion_follows_the_regime():
    made = experiment(
        all={"regime": "accumulate"},
        mixed={"regime": {"name": "mix", "rho": 0.2}},
        fresh={"regime": "fresh", "initial_sequences": 900},
    )
    shard = "results/{}/gen{}/corpus/shard-00000.parquet".format
    assert made.training_corpora("demo", 3) == {2: [shard("demo", 2)]}
    assert made.training_inputs("all", 3) == {"corpus": [shard("all", n) for n in (0, 1, 2)]}
    assert len(made.training_corpora("33m", 2)[1]) == 4
    assert len(made.training_corpora("33m", 1)[0]) == 1
    assert made.training_inputs("mixed", 1) == {"corpus": [shard("mixed", 0)]}
    mixed = made.training_inputs("mixed", 2)
    assert mixed["corpus"] == [shard("mixed", 0), shard("mixed", 1)]
    assert mixed["recipe"] == "results/mixed/gen2/recipe.parquet"
    whole = "results/corpora/grammar/bpe2048/sequences-256.parquet"
    assert made.training_inputs("fresh", 2)["corpus"] == [whole, shard("fresh", 1)]
    assert made.initial_corpus("fresh") == whole.replace("sequences-256", "initial-256-900")
    settings = made.recipe_settings("fresh", 2)
    assert settings["initial_sequences"] == 900 and settings["settings"] == {"rho": 0.1}


def test_decoding_is_the_temperature_unless_more_is_set():
    """A number, as in the params of results made before."""
    made = experiment(mine={"overrides": {"sampling": {"top_p": 0.9, "temperature": 0.8}}})
    assert made.decoding("33m") == 1.0
    assert made.decoding("mine") == {"temperature": 0.8, "top_p": 0.9}


def test_which_lms_there_are(shipped):
    assert shipped.generations("demo") == [f"gen{n}" for n in range(1, 7)]
    assert shipped.generations("demo", first=0)[0] == "gen0"
    assert shipped.judged("33m") == ["baseline", *(f"gen{n}" for n in range(1, 41, 5))]


def test_files_of_a_metric(shipped):
    assert shipped.files("demo", "ppl")[:2] == [
        "results/demo/baseline/ppl.json", "results/demo/gen1/ppl.json",
    ]  # fmt: skip
    assert shipped.files("demo", "text")[0] == "results/demo/gen0/text.json"
    assert shipped.files("demo", "gpt_eval") == []  # no judge
    scored = shipped.files("demo", "classification")
    assert scored[0] == "results/demo/baseline/classification/demo-sst2.json"
    assert len(scored) == 3
    assert shipped.measurements("demo") == [
        path for metric in ("ppl", "text", "oov", "classification", "theory", "support")
        for path in shipped.files("demo", metric)
    ]  # fmt: skip


def test_the_theory_has_losses_of_stories_whose_probabilities_are_known(shipped):
    known = shipped.metric_inputs("theory", "demo", "gen2")
    assert known["losses"] == ["results/demo/gen2/ppl-stories.parquet"]
    assert known["known_stories"] == ["results/corpora/demo/validation.parquet"]
    assert known["before"] == ["results/demo/gen1/theory-series.parquet"]
    unknown = shipped.metric_inputs("theory", "33m", "gen2")
    assert unknown["losses"] == unknown["known_stories"] == unknown["grammar"] == []


def test_inputs_of_a_metric(shipped):
    corpus = "results/corpora/tinystories/gpt2"
    assert shipped.metric_inputs("ppl", "33m", "gen7") == {
        "checkpoint": "results/33m/gen7/checkpoint", "validation": f"{corpus}/validation.parquet",
    }  # fmt: skip
    text = shipped.metric_inputs("text", "33m", "gen7")
    assert text["corpus"] == [f"results/33m/gen7/corpus/shard-0000{k}.parquet" for k in range(4)]
    assert text["initial"] == ["results/33m/gen0/corpus/shard-00000.parquet"]
    assert text["lexicon"] == "results/lexicon/-18.0.txt"
    assert shipped.metric_inputs("oov", "33m", "gen7") == {
        "corpus": text["corpus"], "tokenizer": f"{corpus}/tokenizer",
        "clean_lexicon": "results/lexicon/clean.txt",
    }  # fmt: skip
    assert shipped.initial_corpus("33m") == f"{corpus}/sequences-600.parquet"


def test_outputs_of_a_metric(shipped):
    assert shipped.metric_outputs("text") == ["results/{lineage}/{lm}/{metric}.json"]
    assert shipped.metric_outputs("ppl")[1] == "results/{lineage}/{lm}/{metric}-stories.parquet"


def test_lineages_that_differ_by_their_seeds_are_one_setup():
    """Not those of another regime, nor a second one of the same seed."""
    made = experiment(
        many={"seeds": [1, 2, 3]}, one={"seed": 4}, same={"seed": 4}, other={"regime": "accumulate"}
    )
    assert made.setups("many") == [["many-s1", "many-s2", "many-s3"]]
    made.groups["all"] = ["many-s1", "other", "one", "many-s2", "same"]
    assert made.setups("all") == [["many-s1", "one", "many-s2"], ["other"], ["same"]]


def test_a_judge_is_known_by_what_decides_its_replies():
    made = experiment(judged={"overrides": {"evaluation": {"judge": "gpt35"}}})
    identity = made.judge_identity("judged")
    assert identity["max_tokens"] == 100
    made.resolved["judges"]["gpt35"]["max_tokens_key"] = "max_completion_tokens"
    assert made.judge_identity("judged") == identity
    made.resolved["judges"]["gpt35"]["max_tokens_key"] = None
    assert made.judge_identity("judged") == identity | {"max_tokens": None}
    assert identity["name"] == "gpt35" and "budget" not in identity
    assert made.files("judged", "gpt_eval")[0] == "results/judged/baseline/gpt_eval.json"
    with pytest.raises(UserError, match="The lineage demo has no judge. Name an entry of `judges`"):
        made.judge_name("demo")


def test_a_task_may_have_settings_of_its_own(shipped):
    assert shipped.fine_tuning("33m", "yelp")["epochs"] == 0.1
    assert shipped.fine_tuning("33m", "imdb")["epochs"] == 1
    assert "tasks" not in shipped.fine_tuning("33m", "imdb")


def test_one_seed_leaves_a_tasks_settings_as_they_were_before_there_were_several(shipped):
    """They are params of a rule: one more key, or another order, would run what is finished again."""
    settings = [
        ("learning_rate", 1e-3), ("epochs", 8), ("batch", 8), ("eval_batch", 32), ("max_length", 128),
    ]  # fmt: skip
    assert list(shipped.fine_tuning("demo", "demo-sst2").items()) == settings
    config = copy.deepcopy(CONFIG)
    config["evaluation"]["small"]["classification"]["seeds"] = 1
    said = Experiment(resolve(config, SCHEMA), REPOSITORY)
    assert list(said.fine_tuning("demo", "demo-sst2").items()) == settings


def test_seeds_are_a_lineages_or_a_tasks_own():
    config = copy.deepcopy(CONFIG)
    config["evaluation"]["small"]["classification"]["seeds"] = 3
    config["tasks"]["demo-mrpc"]["seeds"] = 1
    made = Experiment(resolve(config, SCHEMA), REPOSITORY)
    assert made.fine_tuning("demo", "demo-sst2")["seeds"] == 3
    assert "seeds" not in made.fine_tuning("demo", "demo-mrpc")
    config["evaluation"]["small"]["classification"]["seeds"] = 0
    with pytest.raises(UserError, match=r"evaluation\.small\.classification\.seeds: 0 "):
        resolve(config, SCHEMA)


def test_shards_part_the_sequences(shipped):
    parts = [shipped.shard_indices("33m", shard) for shard in range(4)]
    assert parts[0] == [0, 250_000] and parts[3] == [750_000, 1_000_000]
    with pytest.raises(UserError, match="33m has 4 shards per corpus, .* there is no shard 4"):
        shipped.shard_indices("33m", 4)


def test_a_job_counts_the_initial_corpus_where_the_number_of_sequences_is_auto(shipped):
    made = experiment(own={"sampling": "default", "model": "1m"})
    assert made.counted("own") == ["results/own/gen0/corpus/shard-00000.parquet"]
    assert made.shard_indices("own", 0) == {"shard": 0, "of": 1}
    assert shipped.counted("33m") == []  # results made before know nothing of auto


def test_what_a_generation_begins_with():
    begun = {"initial_model": "owner/name"}
    made = experiment(
        initial=begun, onward={**begun, "start": "previous"}, random={**begun, "start": "scratch"},
        previous={"start": "previous"},
    )  # fmt: skip
    lms = ("baseline", "gen1", "gen2", "gen11")
    assert [made.start("initial", lm) for lm in lms] == ["baseline"] * 4
    assert [made.start("onward", lm) for lm in lms] == ["baseline", "baseline", "gen1", "gen10"]
    assert [made.start("random", lm) for lm in lms] == ["baseline", None, None, None]
    assert [made.start("previous", lm) for lm in lms] == [None, None, "gen1", "gen10"]
    assert [made.start("demo", lm) for lm in lms] == [None] * 4
    assert made.training_inputs("onward", 3)["start"] == "results/onward/gen2/checkpoint"
    assert "start" not in made.training_inputs("demo", 3)
    assert made.baseline_model("random")["initial_model"] == "owner/name"
    assert "initial_model" not in made.baseline_model("demo")
