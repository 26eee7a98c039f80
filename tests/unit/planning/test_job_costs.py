"""Seconds and bytes of jobs, by hand."""

import pytest
from plan_inputs import MODEL, job, job_costs, shard

from ouroboros.config.families import declaration
from ouroboros.model.families import random_model
from ouroboros.planning.job_costs import REPORT, RULES, UNKNOWN, notes_on_unknown_rules
from ouroboros.planning.machine_speed import IMPORTS

START = 0.1 + 2 * 0.5  # Snakemake's part of each job


@pytest.fixture
def costs():
    return job_costs()


def test_training_counts_every_shard_and_epoch(costs):
    """10 sequences of 32 tokens; 3 epochs, 10 tokens/s."""
    inputs = [shard(3, number) for number in range(4)]
    seconds = costs.seconds(job("train", inputs, lineage="l", n="4"))
    assert seconds == pytest.approx(START + 2 + 4 + 3 * 320 / 10)


@pytest.mark.parametrize(
    ("regime", "settings", "sequences"),
    [
        ("accumulate", {}, 31 + 10 + 10), ("mix", {"rho": 0.5}, 10), ("history", {"alpha": 0.2}, 12),
        ("window", {"k": 1}, 10), ("counts", {"n_real": 3, "n_generated": 4}, 7),
    ],
)  # fmt: skip
def test_training_takes_what_its_regime_says(costs, regime, settings, sequences):
    """Of generation 3, after an initial corpus of 31 sequences."""
    lineage = {**costs.lineages["l"], "regime": regime, "regime_settings": settings}
    costs.lineages = {"l": lineage}
    seconds = costs.seconds(job("train", lineage="l", n="3"))
    assert seconds == pytest.approx(START + 2 + 4 + 3 * 32 * sequences / 10)


def test_accumulating_trains_on_the_initial_corpus_too(costs):
    """1000 tokens and 10 ends of stories are 31 sequences of 32."""
    inputs = [shard(0, 0), shard(1, 0)]
    assert costs.corpus_tokens(inputs) == 31 * 32 + 2 * 32


def test_as_many_sequences_as_the_initial_corpus_has(costs):
    """Its 31, in 4 shards: 7, 8, 8 and 8."""
    lineage = costs.lineages["l"]
    sampling = {**lineage["sampling"], "sequences": "auto"}
    costs.lineages = {"l": {**lineage, "sampling": sampling}}
    assert costs.corpus_tokens([shard(1, 0)]) == 7 * 32
    assert costs.corpus_tokens([shard(1, number) for number in range(4)]) == 31 * 32


@pytest.mark.parametrize(
    "settings, epochs",
    [
        ({}, 3 + 1),
        ({"patience": 2}, 3 + 2),
        ({"patience": 9, "max_epochs": 5}, 5),
        ({"epochs": 3, "patience": 2}, 3),
    ],
)
def test_early_stopping_trains_past_the_best_epoch_and_scores_the_held_out_stories(
    costs, settings, epochs
):
    lineage = costs.lineages["l"]
    costs.lineages = {"l": {**lineage, "training": {**lineage["training"], **settings}}}
    expected = START + 2 + 4 + epochs * (31 * 32 / 10 + 100 / 50)
    assert costs.seconds(job("train_first", [shard(0, 0)])) == pytest.approx(expected)


def test_a_shard(costs):
    assert costs.seconds(job("sample", [], [shard(2, 1)])) == pytest.approx(START + 2 + 1 + 96 / 20)


def test_tokens_beyond_the_context_have_a_pass_each(costs):
    """100 tokens, one of them after a context of 32, of which the output layer sees the last alone."""
    body, head = 12 * 3 * 16**2, 300 * 16
    passes = 32 * body / (body + head)
    assert costs.seconds(job("ppl")) == pytest.approx(START + 2 + (100 + passes) / 50)


def test_classification(costs):
    """20 updates of 4 examples of 12 tokens; 2 batches of validation, at a third."""
    updates = 20 * (0.5 + 4 * 12 * 0.01)
    validation = (2 * 0.5 + 20 * 12 * 0.01) / 3
    found = costs.seconds(job("classification", task="small"))
    assert found == pytest.approx(START + 2 + 2 + 7 + updates + validation)
    # a lineage's seeds, and a task's own before them; the job starts once
    lineage = costs.lineages["l"]
    settings = {**lineage["evaluation"]["classification"], "seeds": 3}
    costs.lineages = {"l": {**lineage, "evaluation": {"classification": settings}}}
    found = costs.seconds(job("classification", task="small"))
    assert found == pytest.approx(START + 2 + 2 + 7 + 3 * (updates + validation))
    task, size = costs.tasks["small"]
    costs.tasks = {"small": ({**task, "seeds": 2}, size)}
    found = costs.seconds(job("classification", task="small"))
    assert found == pytest.approx(START + 2 + 2 + 7 + 2 * (updates + validation))


def test_jobs_of_a_cluster_read_the_workflow_again(costs):
    costs.on_cluster = True
    assert costs.seconds(job("samples")) == pytest.approx(START + 1 + 0.5)


def test_words_are_counted_again(costs):
    words = costs.seconds(job("oov", [shard(2, 0)], lm="gen2"))
    assert words == pytest.approx(START + 0.5 + 64 / 500 / 4)


def test_text_statistics_read_the_corpus_of_their_own_lm(costs):
    """2 sequences of 32 tokens; the initial corpus beside them is there to compare with."""
    inputs = [shard(2, 0), shard(0, 0)]
    assert costs.seconds(job("text", inputs, lm="gen2")) == pytest.approx(START + 0.5 + 64 / 500)


def test_a_judge_takes_its_pace(costs):
    assert costs.seconds(job("gpt_eval")) == pytest.approx(START + 0.5 + 440)


def test_corpora_are_read_in_stories_and_tokens(costs):
    made = {rule: costs.seconds(job(rule, corpus="own")) for rule in ("initial_corpus", "tokenise")}
    assert made == {
        "initial_corpus": pytest.approx(START + 0.5 + 20 / 100),
        "tokenise": pytest.approx(START + 0.5 + 1200 / 1000),
    }


def test_a_figure_is_drawn_after_its_imports(costs):
    assert costs.seconds(job("figure")) == pytest.approx(START + 3 + REPORT)


def test_a_rule_that_the_table_lacks_costs_what_a_report_does_and_is_named_once(costs):
    assert costs.seconds(job("brand_new")) == pytest.approx(START + 0.5 + REPORT)
    listed = [job("brand_new"), job("brand_new"), job("train"), job("a_target", (), ())]
    assert notes_on_unknown_rules(listed) == ["assumed: 0.5 s of work per job of brand_new"]
    assert notes_on_unknown_rules(listed[2:]) == []


def test_every_start_is_one_that_is_measured():
    assert {rule.imports for rule in (*RULES.values(), UNKNOWN)} == set(IMPORTS)


@pytest.mark.parametrize("path, kind, size", [
    ("results/l/gen2/corpus/shard-00001.parquet", "corpora of generations", 1.4 * 96),
    ("results/l/gen0/corpus/shard-00000.parquet", "measurements and figures", 8000),  # a link
    ("results/l/gen2/checkpoint", "checkpoints", 4 * declaration(MODEL).parameters(MODEL, 300) + 70 * 300),
    ("results/corpora/own/heldout.parquet", "initial corpora", 2.5 * 100),
    ("results/corpora/own/bpe/validation.parquet", "initial corpora", 1.4 * 100),
    ("results/corpora/own/bpe/sequences-32.parquet", "initial corpora", 1.4 * 1000),
    ("results/corpora/own/bpe/initial-32-20.parquet", "initial corpora", 1.4 * 640),
    ("results/corpora/own/bpe/tokens.json", "measurements and figures", 8000),
    ("results/l/gen2/theory-series.parquet", "measurements and figures", 8 * 32 * 300),
    ("results/l/gen2/ppl-stories.parquet", "measurements and figures", 8000),
    ("results/tasks/small/train.parquet", "measurements and figures", 8000),
])  # fmt: skip
def test_bytes_of_an_output(costs, path, kind, size):
    assert costs.bytes(path) == (kind, pytest.approx(size))


def test_parameters_are_those_of_the_model():
    model = random_model(MODEL, 300, seed=0)
    assert declaration(MODEL).parameters(MODEL, 300) == sum(p.numel() for p in model.parameters())
