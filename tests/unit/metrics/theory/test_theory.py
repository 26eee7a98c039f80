"""theory.json of n-grams, whose probabilities are known: two generations, the second after the first's series."""

from types import SimpleNamespace

import numpy as np
import pytest
from tools import END

from ouroboros.data.corpus import ShardWriter
from ouroboros.errors import DamagedArtifact
from ouroboros.metrics.theory.measure import measure
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.model.families.ngram.model import Model
from ouroboros.storage.parquet import write_parquet

SETTINGS = {"beginnings": 6, "probability_cut": 0.05}


def write_corpus(path, seed, size=80):
    """Stories of four tokens; of one seed, of one distribution."""
    rng = np.random.default_rng(seed)
    tokens = np.full((size, 20), END, np.uint16)
    tokens[:, np.arange(20) % 5 != 4] = rng.choice(
        [3, 4, 5, 6], (size, 16), p=[0.5, 0.3, 0.15, 0.05]
    )
    with ShardWriter(path, 20, np.uint16) as writer:
        writer.add(tokens, END)
    return tokens


@pytest.fixture
def generations(tmp_path, tokenizer_folder):
    """The initial corpus's tokens, and the inputs of two generations."""
    initial = write_corpus(tmp_path / "gen0.parquet", 0)
    inputs = []
    for n in (1, 2):
        tokens = write_corpus(tmp_path / f"gen{n}.parquet", n)
        model = Model(3, 0.01, 32, 300)
        model.count(np.concatenate([np.full((80, 1), END), tokens[:, :-1]], axis=1), tokens)
        write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / f"checkpoint{n}")
        inputs.append(SimpleNamespace(
            checkpoint=tmp_path / f"checkpoint{n}", initial=[tmp_path / "gen0.parquet"], model=model,
            tokenizer=tokenizer_folder, grammar=[], known_stories=[], losses=[], before=[],
        ))  # fmt: skip
    return initial, inputs


def test_two_generations_of_ngrams(generations, tmp_path):
    initial, (first, second) = generations
    found, series = measure(first, SETTINGS, None, None)
    write_parquet(tmp_path / "series.parquet", series)
    second.before = [tmp_path / "series.parquet"]
    later, _ = measure(second, SETTINGS, None, None)
    assert max(found["identity_error"], later["identity_error"]) < 1e-12
    assert len(found["contexts"]) == 6 and found["contexts"][0]["tokens"] == [3]
    stories = initial.reshape(-1, 5)
    for row, (one, two) in enumerate(zip(found["contexts"], later["contexts"], strict=True)):
        x = one["tokens"]
        following = stories[(stories[:, : len(x)] == x).all(1), len(x)]
        counts = np.bincount(following, minlength=300)
        assert one["count"] == len(following) == two["count"]
        p0 = counts / counts.sum()
        p1, p2 = (
            generation.model.probabilities(generation.model.codes(np.array([[END, *x]]))[:, -1])[0]
            for generation in (first, second)
        )
        seen = p0 > 0
        growth = np.log((p0[seen] / p1[seen]).max()), np.log((p1 / p2).max())
        assert [one["growth"], two["growth"]] == pytest.approx(growth), row
        assert two["log10_memory"] == pytest.approx(-sum(growth) / np.log(10))
        assert np.exp(one["log_alpha"]) == pytest.approx(counts.sum() * np.expm1(growth[0]))
        frequent = p1 >= 0.05
        assert two["growth_above_cut"] == pytest.approx(np.log((p1 / p2)[frequent].max()))
    assert later["growth"] == pytest.approx(np.mean([of["growth"] for of in later["contexts"]]))
    assert later["log10_y"] > found["log10_y"]


def test_a_series_of_other_beginnings_is_refused(generations, tmp_path):
    _, (first, second) = generations
    _, series = measure(first, SETTINGS, None, None)
    write_parquet(tmp_path / "series.parquet", series)
    second.before = [tmp_path / "series.parquet"]
    with pytest.raises(DamagedArtifact, match="its beginnings are not those of the initial corpus"):
        measure(second, SETTINGS | {"beginnings": 5}, None, None)


def test_tokens_that_are_lost_leave_numbers_empty(generations, tmp_path, tokenizer_folder):
    """At delta 0 a token that a generation no longer knows makes y infinite: JSON has null, means are of the rest."""
    _, (first, _) = generations
    model = Model(1, 0.0, 32, 300)
    model.count(np.array([[END, 3]]), np.array([[3, END]]))
    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "poor")
    first.checkpoint = tmp_path / "poor"
    found, _ = measure(first, SETTINGS, None, None)
    assert found["finite"] == 0 and found["growth"] is None and found["growth_error"] is None
    assert all(context["growth"] is None for context in found["contexts"])
    assert found["growth_control"] > 0
