"""Regimes through the workflow: what its jobs make of n-grams is what the same functions make in one process."""

import copy

import numpy as np
import pytest
from every_regime import INITIAL, SAMPLED, SETTINGS, with_regimes
from tools import SEED, TINY, read_shards

from ouroboros.config.regimes import regimes
from ouroboros.data.corpus import Corpus, ShardWriter
from ouroboros.data.recipe import read_recipe, split
from ouroboros.data.tokenizer import read_tokenizer, vocabulary_size
from ouroboros.model.families.ngram.model import Model
from ouroboros.pipeline.regimes import RESERVE
from ouroboros.sampling.oracle import lineage


def run(workflow, names, generations):
    """Run lineages of these regimes to their last corpora."""
    config = with_regimes(names, generations)
    config["models"]["tiny"] = {"family": "ngram", "order": 2, "positions": 32}
    config["training"]["tiny"] = {"batch": 8, "learning_rate": 1.0e-2, "epochs": 1}
    workflow.configure(config)
    last = [f"results/{name}/gen{generations}/corpus" for name in names]
    wanted = [f"{corpus}/shard-0000{shard}.parquet" for corpus in last for shard in range(2)]
    ran = workflow.run(*wanted)
    assert ran.returncode == 0, ran.stdout[-3000:]


def check(workflow, name, generations, tmp_path):
    """Compare a lineage's corpora, byte for byte, and its recipes with those of one process."""
    results = workflow.folder / "results"
    real = read_shards([results / "corpora/own/small/sequences-32.parquet"])
    tokenizer, end = read_tokenizer(results / "corpora/own/small/tokenizer")
    rows, reserve = split(len(real), INITIAL)
    initial = Corpus(real.tokens[rows], real.previous[rows])
    linked = read_shards([results / f"{name}/gen0/corpus/shard-00000.parquet"])
    assert np.array_equal(linked.tokens, initial.tokens)
    made = lineage(
        regimes()[name], SETTINGS[name], initial,
        lambda: Model(2, 0.01, 32, vocabulary_size(tokenizer)), generations, SAMPLED, end, SEED, real, reserve,
    )  # fmt: skip
    for n, (_, corpus) in enumerate(made, 1):
        for shard, part in enumerate(np.split(corpus.tokens, 2)):
            path = tmp_path / f"{name}-{n}-{shard}"
            with ShardWriter(path, 32, np.uint16) as writer:
                writer.add(part, end)
            there = results / f"{name}/gen{n}/corpus/shard-0000{shard}.parquet"
            assert there.read_bytes() == path.read_bytes(), (n, shard)
        recipe = read_recipe(results / f"{name}/gen{n}/recipe.parquet")
        sizes = {0: INITIAL, RESERVE: len(real)} | dict.fromkeys(range(1, n), SAMPLED)
        assert all(len(rows) <= sizes[source] for source, rows in recipe.items())


def test_a_lineage_that_draws(workflow, tmp_path):
    """Of one that uses real text beyond the initial corpus."""
    run(workflow, ["fresh"], 2)
    check(workflow, "fresh", 2, tmp_path)


@pytest.mark.slow
def test_lineages_of_every_regime(workflow, tmp_path):
    """And resumed after a loss: the shard alone is made again, and is the same."""
    assert {*SETTINGS} == {*regimes()}
    names = sorted(SETTINGS.keys() - {"published"})  # which is a GPT-Neo's
    run(workflow, names, 4)
    lost = {}
    for name in names:
        check(workflow, name, 4, tmp_path)
        shard = workflow.folder / f"results/{name}/gen4/corpus/shard-00001.parquet"
        lost[shard] = shard.read_bytes()
        shard.unlink()
    planned = workflow.planned(*(str(shard.relative_to(workflow.folder)) for shard in lost))
    assert planned == {f"sample {name} gen4 00001" for name in names}
    run(workflow, names, 4)
    assert all(shard.read_bytes() == content for shard, content in lost.items())


def test_too_little_real_text_is_said_before_anything_runs(workflow):
    config = copy.deepcopy(TINY)
    config["lineages"]["tiny"] |= {
        "regime": {"name": "fresh", "rho": 0.5}, "generations": 300, "initial_sequences": INITIAL,
    }  # fmt: skip
    workflow.configure(config)
    said = workflow.run("tiny").stdout
    assert "lineages.tiny: it wants" in said and "Give it more text" in said
    assert not (workflow.folder / "results/corpora").exists()
