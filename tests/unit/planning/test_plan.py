"""What jobs cost, by hand; what a plan says of them."""

import pytest

from ouroboros.model.gpt_neo import ModelSettings, initialise
from ouroboros.planning.assumptions import costs_of
from ouroboros.planning.data_sizes import corpus_size, task_size
from ouroboros.planning.job_costs import Costs, parameters
from ouroboros.planning.plan import duration, page, plan, size

MODEL = {"layers": 3, "hidden_size": 16, "heads": 2, "window": 8, "context": 16, "positions": 32,
         "initial_std": 0.02}  # fmt: skip
MACHINE = {
    "start": {"workflow": 1.0, "torch": 2.0, "figures": 3.0, "light": 0.5},
    "stories_per_second": 100.0, "tokenise_tokens_per_second": 1000.0,
    "text_tokens_per_second": 500.0,
}  # fmt: skip
RATES = {
    "train": {"start": 4.0, "tokens_per_second": 10.0, "device": "cpu"},
    "sample": {"start": 1.0, "tokens_per_second": 20.0},
    "ppl": {"start": 0.0, "tokens_per_second": 50.0},
    "fine_tuning": {"start": 7.0, "seconds_per_update": 0.5, "seconds_per_token": 0.01},
}
LINEAGE = {
    "resources": {"train": {"gpu": 0}},
    "model": MODEL, "vocabulary": 300, "epochs": 3, "corpus": "own", "beyond": 0.01,
    "training": {"epochs": "auto", "patience": 1, "max_epochs": 20, "batch": 8},
    "sampling": {"sequences": 10, "sequence_length": 32, "shards": 4},
    "evaluation": {
        "context": 32, "completions": 10, "new_tokens": 20, "judge": "cheap",
        "classification": {"epochs": 2, "batch": 4, "eval_batch": 10, "max_length": 30},
    },
}  # fmt: skip
CORPORA = {
    "own": {
        "train": {"stories": 10, "tokens": 1000},
        "heldout": {"stories": 5, "tokens": 100},
        "validation": {"stories": 5, "tokens": 100},
    }
}


@pytest.fixture
def costs():
    tasks = {"small": ({"kind": "sst2"}, (40, 20, 12))}
    judges = {"cheap": {"requests_per_minute": 60}}
    return Costs(MACHINE, {"l": RATES}, {"l": LINEAGE}, CORPORA, tasks, judges)


def job(rule, inputs=(), outputs=("results/l/x",), **wildcards):
    return {"rule": rule, "input": list(inputs), "output": list(outputs), "gpus": 1, "cores": 1,
            "wildcards": {"lineage": "l", **wildcards}}  # fmt: skip


def shard(generation, number):
    return f"results/l/gen{generation}/corpus/shard-{number:05d}.parquet"


@pytest.mark.parametrize("device, gpus, devices", [("cpu", 2, 1), ("H100", 0, 1), ("H100", 1, 1), ("H100", 4, 4)])  # fmt: skip
def test_training_on_several_gpus_is_as_many_times_as_quick(costs, device, gpus, devices):
    one = costs.seconds(job("train", [shard(3, 0)]))
    costs.rates = {"l": {**RATES, "train": {**RATES["train"], "device": device}}}
    costs.lineages = {"l": {**LINEAGE, "resources": {"train": {"gpu": gpus}}}}
    before = costs.seconds(job("train"))  # without a token
    assert costs.seconds(job("train", [shard(3, 0)])) - before == pytest.approx((one - before) / devices)  # fmt: skip


def test_training_counts_every_shard_and_epoch(costs):
    """10 sequences in 4 shards are 2, 3, 2 and 3 of 32 tokens each; 3 epochs, 10 tokens/s."""
    inputs = [shard(3, number) for number in range(4)]
    assert costs.seconds(job("train", inputs)) == pytest.approx(1 + 2 + 4 + 3 * 320 / 10)


def test_accumulating_trains_on_the_initial_corpus_too(costs):
    """1000 tokens and 10 ends of stories are 31 sequences of 32."""
    inputs = [shard(0, 0), shard(1, 0)]
    assert costs.train_tokens(job("train", inputs)) == 31 * 32 + 2 * 32


def test_early_stopping_trains_one_epoch_more_and_scores_the_held_out_stories(costs):
    expected = 1 + 2 + 4 + (3 + 1) * (31 * 32 / 10 + 100 / 50)
    assert costs.seconds(job("train_first", [shard(0, 0)])) == pytest.approx(expected)


def test_a_shard(costs):
    assert costs.seconds(job("sample", [], [shard(2, 1)])) == pytest.approx(1 + 2 + 1 + 96 / 20)


def test_tokens_behind_the_context_have_a_pass_each(costs):
    """100 tokens, one of them behind a context of 32."""
    assert costs.seconds(job("ppl")) == pytest.approx(1 + 2 + (100 + 32) / 50)


def test_classification(costs):
    """20 updates of 4 examples of 12 tokens; 2 batches of validation, at a third."""
    updates = 20 * (0.5 + 4 * 12 * 0.01)
    validation = (2 * 0.5 + 20 * 12 * 0.01) / 3
    found = costs.seconds(job("classification", task="small"))
    assert found == pytest.approx(1 + 2 + 7 + updates + validation)


def test_a_judge_takes_its_pace(costs):
    assert costs.seconds(job("gpt_eval")) == pytest.approx(1 + 0.5 + 440)


def test_a_rule_that_nobody_measured_costs_its_start(costs):
    assert costs.seconds(job("brand_new")) == 1.5


def test_parameters_are_those_of_the_model():
    model = initialise(ModelSettings(**MODEL, vocabulary_size=300), 0)
    assert parameters(MODEL, 300) == sum(p.numel() for p in model.parameters())


def test_a_plan_adds_up(costs):
    chain = [
        job("train", [shard(1, 0)], ["results/l/gen2/checkpoint"]),
        job("sample", ["results/l/gen2/checkpoint"], [shard(2, 0)], lm="gen2"),
        job("sample", ["results/l/gen2/checkpoint"], [shard(2, 1)], lm="gen2"),
        {**job("l", [shard(2, 0), shard(2, 1)], []), "gpus": 0},
    ]
    train, *samples = [costs.seconds(each) for each in chain[:3]]
    result = plan(chain, costs, [1, 2], None, 2)
    assert result["jobs"] == 3  # the target itself is none
    assert result["gpu_seconds"] == pytest.approx(train + sum(samples))
    assert [row["seconds"] for row in result["wall_clock"]] == pytest.approx(
        [train + sum(samples), train + max(samples)]
    )
    assert [row["cores"] for row in result["wall_clock"]] == [8, 16]
    assert result["critical_path_seconds"] == pytest.approx(train + max(samples))
    assert result["disk"]["checkpoints"]["bytes"] == 4 * parameters(MODEL, 300) + 70 * 300
    assert "| sample |" in page("l", {**result, "notes": ["assumed: nothing"]})


def test_without_gpu_jobs_there_is_one_row(costs):
    listed = [{**job("table"), "gpus": 0}]
    assert [row["gpus"] for row in plan(listed, costs, [1, 2], None, 2)["wall_clock"]] == [0]


HUB = {"source": "hub", "path": "roneneldan/TinyStories", "held_out": 0.05}


def test_a_corpus_of_the_hub_is_taken_for_tinystories_and_says_so():
    sizes, note = corpus_size("tinystories", HUB, {}, None, 0)
    assert sizes["train"]["stories"] + sizes["heldout"]["stories"] == 2_119_719
    assert sizes["validation"] == {"stories": 21_990, "tokens": 21_990 * 200}
    assert "2,119,719 stories" in note


def test_a_given_size_is_taken_and_a_counted_one_before_it():
    given = {"stories": 100, "validation_stories": 10, "tokens_per_story": 50}
    sizes, note = corpus_size("mine", HUB, given, None, 0)
    assert sizes == {
        "train": {"stories": 95, "tokens": 4750}, "heldout": {"stories": 5, "tokens": 250},
        "validation": {"stories": 10, "tokens": 500},
    }  # fmt: skip
    assert note is None
    assert corpus_size("mine", HUB, given, CORPORA["own"], 0) == (CORPORA["own"], None)


def test_files_are_weighed():
    settings = {"source": "files", "held_out": 0.05, "validation_share": 0.1}
    sizes, note = corpus_size("mine", settings, {}, None, 80_000)
    assert sizes["train"]["tokens"] == 95 * 200 and sizes["validation"]["stories"] == 10
    assert "80,000 bytes" in note


def test_examples_are_counted_where_there_are_files():
    assert task_size("t", {"kind": "sst2"}, {}, {"train": 7, "validation": 3}) == (7, 3, 12, None)
    assert task_size("t", {"kind": "sst2"}, {}, {})[:2] == (67_349, 872)


def test_found_epochs_and_given_rates_are_used():
    lineage = {**LINEAGE, "tokenizer": "t", "model_name": "m",
               "resources": {rule: {"gpu": 1} for rule in ("train", "sample", "ppl")}}  # fmt: skip
    facts = {
        "lineages": {"l": lineage}, "tokenizers": {"t": {"source": "gpt2"}},
        "epochs": {"l": {"epochs": 5}}, "tasks": {}, "judges": {},
        "corpora": {"own": {"settings": {"source": "hub", "held_out": 0.05}, "bytes": 0,
                            "counts": CORPORA["own"]}},
        "plan": {"epochs": 3, "corpora": {}, "tasks": {}, "rates": {
            "m": {"train": 1.0, "sample": 2.0, "ppl": 3.0, "fine_tuning": 8.0}}},
    }  # fmt: skip
    arguments, notes = costs_of(facts, {}, {})
    assert arguments["lineages"]["l"]["epochs"] == 5
    assert arguments["rates"]["l"]["sample"]["tokens_per_second"] == 2.0
    assert arguments["rates"]["l"]["fine_tuning"]["seconds_per_update"] == 0.5
    assert not any("WARNING" in note or "assumed" in note for note in notes)
    facts["epochs"]["l"] = None
    assert any("3 epochs" in note for note in costs_of(facts, {}, {})[1])


@pytest.mark.parametrize("seconds, text", [
    (5, "5 s"), (119, "119 s"), (600, "10 min"), (3600 * 3 + 65, "3 h 01 min"),
    (86400 * 3 + 3600 * 5, "3 d 05 h"),
])  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_sizes():
    assert [size(n) for n in (5, 12_345, 5e9, 2.5e12)] == ["5 B", "12.3 kB", "5 GB", "2.5 TB"]
