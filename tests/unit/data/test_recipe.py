"""Recipes: what is drawn for a generation, and that training reads it, no more and no less."""

from pathlib import Path

import numpy as np
import pytest
from tools import read_shards

from ouroboros.config.regimes import regimes
from ouroboros.data.corpus import ShardWriter
from ouroboros.data.recipe import (
    StoredRows,
    read_corpus,
    read_recipe,
    split,
    write_initial,
    write_recipe,
    write_whole,
)
from ouroboros.errors import UserError
from ouroboros.pipeline.regimes import RESERVE, Part, draws, sources

N, LENGTH = 30, 4


def recipe(path, name, n, seed=0, sizes=None, reserve=(), **settings):
    """The rows by source of generation n of a regime, whose corpora have N sequences each."""
    sizes = sizes or dict.fromkeys(range(n), N)
    parts = regimes()[name].parts(n, sizes.__getitem__, **settings)
    write_recipe(parts, sizes, seed, n, path, reserve)
    return read_recipe(path)


def counts(found):
    return {source: len(rows) for source, rows in found.items()}


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("replace", {}, {1: {0: 30}, 2: {1: 30}, 5: {4: 30}}),
        ("accumulate", {"cap": None}, {1: {0: 30}, 3: {0: 30, 1: 30, 2: 30}}),
        ("accumulate", {"cap": 90}, {3: {0: 30, 1: 30, 2: 30}}),
        ("window", {"k": 2}, {1: {0: 30}, 2: {0: 30, 1: 30}, 5: {3: 30, 4: 30}}),
        ("window", {"k": 9}, {3: {0: 30, 1: 30, 2: 30}}),
        ("mix", {"rho": 0.1}, {1: {0: 30}, 2: {0: 3, 1: 27}, 7: {0: 3, 6: 27}}),
        ("mix", {"rho": 0.15}, {2: {0: 5, 1: 25}}),  # 4.5, rounded up
        ("mix", {"rho": 0.0}, {2: {1: 30}}),
        ("mix", {"rho": 1.0}, {4: {0: 30}}),
        ("counts", {"n_real": 7, "n_generated": 30}, {1: {0: 30}, 4: {0: 7, 3: 30}}),
        ("growth", {"s": 0.5, "n_0": 3, "cap": None}, {1: {0: 3}, 2: {1: 8}, 4: {3: 24}}),
        ("growth", {"s": 0.5, "n_0": 3, "cap": 20}, {4: {3: 20}, 9: {8: 20}}),
        ("growth", {"s": 0.0, "n_0": 3, "cap": None}, {9: {8: 27}}),
        ("history", {"alpha": 0.1}, {1: {0: 30}, 2: {0: 3, 1: 30}, 3: {0: 3, 1: 15, 2: 15}}),
        ("history", {"alpha": 0.0}, {2: {1: 30}}),
    ],
)  # fmt: skip
def test_how_many_of_which(tmp_path, name, settings, expected):
    for n, wanted in expected.items():
        found = recipe(tmp_path / "recipe", name, n, **settings)
        assert counts(found) == wanted, n
        for rows in found.values():
            assert (
                np.all(np.diff(rows) > 0) and rows[0] >= 0 and rows[-1] < N
            )  # without replacement


def test_subsamples_are_drawn_from_all_before(tmp_path):
    """N of 5 N: each sequence with probability 1/5, and from each generation about N/5."""
    taken = np.zeros((5, N))
    for seed in range(400):
        found = recipe(tmp_path / "recipe", "accumulate_subsample", 5, seed)
        assert sum(counts(found).values()) == N
        for source, rows in found.items():
            taken[source, rows] += 1
    assert abs(taken / 400 - 0.2).max() < 4.5 * np.sqrt(0.2 * 0.8 / 400)


def test_history_draws_its_second_half_from_all_but_the_last(tmp_path):
    found = recipe(tmp_path / "recipe", "history", 6, alpha=0.2)
    assert len(found[0]) == 6 and len(found[5]) == 15
    assert sum(len(found.get(k, ())) for k in (1, 2, 3, 4)) == 15


def test_generations_and_seeds_draw_anew(tmp_path):
    """A real part that stayed the same would be another regime: see the oracle."""
    first, later, other = (
        recipe(tmp_path / "recipe", "mix", n, seed, rho=0.5)[0].tolist()
        for n, seed in ((2, 0), (3, 0), (2, 1))
    )
    assert len({tuple(rows) for rows in (first, later, other)}) == 3
    assert recipe(tmp_path / "recipe", "mix", 2, 0, rho=0.5)[0].tolist() == first


def test_fresh_text_is_used_once_and_its_end_is_said(tmp_path):
    initial, reserve = split(100, N)
    assert sorted([*initial, *reserve]) == list(range(100)) and len(initial) == N
    used = []
    for n in range(2, 9):
        found = recipe(tmp_path / "recipe", "fresh", n, reserve=reserve, rho=1 / 3)
        assert counts(found) == {RESERVE: 10, n - 1: 20}
        used += found[RESERVE].tolist()
    assert sorted(used) == sorted(reserve)  # 70 of 70, none twice, none of C_0
    with pytest.raises(UserError, match="Generation 9 needs unused .* number 80, and there are 70"):
        recipe(tmp_path / "recipe", "fresh", 9, reserve=reserve, rho=1 / 3)


def test_the_control_trains_on_real_text_alone(tmp_path):
    found = recipe(tmp_path / "recipe", "fresh", 2, reserve=np.arange(30, 90), rho=1.0)
    assert counts(found) == {RESERVE: 30}


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("counts", {"n_real": 31, "n_generated": 1}, "wants 31 sequences of the initial corpus"),
        ("growth", {"s": 1.0, "n_0": 9, "cap": None}, "wants 81 .* of generation 2 .* are 30"),
        ("counts", {"n_real": 0, "n_generated": 0}, "leaves generation 3 nothing"),
    ],
)
def test_more_than_there_is_or_nothing(tmp_path, name, settings, said):
    with pytest.raises(UserError, match=said):
        recipe(tmp_path / "recipe", name, 3, **settings)
    assert not (tmp_path / "recipe").exists()


def test_sources_and_draws_need_no_sizes():
    known = regimes()
    assert sources(known["history"], 4, {"alpha": 0.1}) == [0, 1, 2, 3]
    assert sources(known["fresh"], 3, {"rho": 1.0}) == [RESERVE, 2]
    assert not draws(known["window"], 3, {"k": 2})
    assert draws(known["mix"], 3, {"rho": 0.1}) and not draws(known["mix"], 1, {"rho": 0.1})


# What training reads.


def shards(tmp_path, source, rows=N, length=LENGTH, dtype=np.uint16, files=2):
    """Shards whose tokens say where they are from: source, row and column."""
    first = 1000 * (source + 1) + 10 * np.arange(rows)
    tokens = (first[:, None] + np.arange(length)).astype(dtype)
    found = []
    for number, part in enumerate(np.array_split(tokens, files)):
        found.append(str(tmp_path / f"{source}-{number}"))
        with ShardWriter(found[-1], length, dtype) as shard:
            shard.add(part, part[:, 0])
    return found


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    monkeypatch.setattr("ouroboros.data.corpus.ROW_GROUP", 7)
    monkeypatch.setattr("ouroboros.data.recipe.ROW_GROUP", 11)
    return {source: shards(tmp_path, source) for source in range(4)}


def test_all_of_a_corpus_is_read_as_it_is(corpora, tmp_path):
    write_whole({2: corpora[2]}, tmp_path / "recipe")
    read, expected = (
        read_corpus(tmp_path / "recipe", {2: corpora[2]}, tmp_path),
        read_shards(corpora[2]),
    )
    assert isinstance(read.tokens, np.ndarray)
    assert np.array_equal(read.tokens, expected.tokens)
    assert np.array_equal(read.previous, expected.previous)


@pytest.mark.parametrize("name", ["accumulate_subsample", "mix", "history", "accumulate"])
def test_what_is_read_is_what_the_recipe_says(corpora, tmp_path, name):
    settings = {"mix": {"rho": 0.3}, "history": {"alpha": 0.1}, "accumulate": {"cap": None}}
    found = recipe(tmp_path / "recipe", name, 4, **settings.get(name, {}))
    used = {source: corpora[source] for source in found}
    read = read_corpus(tmp_path / "recipe", used, tmp_path / "state")
    expected = [1000 * (source + 1) + 10 * row for source in sorted(found) for row in found[source]]
    assert len(read) == len(expected)
    order = np.random.default_rng(0).permutation(len(read))
    assert np.array_equal(read.tokens[order], np.array(expected)[order, None] + np.arange(LENGTH))
    assert np.array_equal(read.previous, expected)
    assert (read.tokens.shape, read.tokens.size) == ((len(read), LENGTH), len(read) * LENGTH)
    assert read.tokens.max() == max(expected) + LENGTH - 1
    longer = len(read) > N
    assert isinstance(read.tokens, StoredRows) == longer
    assert not longer or list((tmp_path / "state").iterdir()) == []  # the file has no name


def test_ids_of_two_widths_are_read_as_the_wider(tmp_path):
    corpora = {0: shards(tmp_path, 0), 1: shards(tmp_path, 90, dtype=np.uint32)}
    write_whole(corpora, tmp_path / "recipe")
    read = read_corpus(tmp_path / "recipe", corpora, tmp_path)
    assert read.tokens.dtype == np.uint32 and read.tokens[np.array([59])][0, 0] == 91_290


def test_a_shard_that_is_cut_off_or_missing_is_named(corpora, tmp_path):
    """Before anything is read of it: counting looks at footers alone."""
    first, second = map(Path, corpora[2])
    second.write_bytes(second.read_bytes()[:-10])
    with pytest.raises(UserError, match=f"{second.name} is damaged: it is no parquet file"):
        write_whole({2: corpora[2]}, tmp_path / "recipe")
    first.unlink()
    with pytest.raises(UserError, match="There is no file"):
        write_whole({2: corpora[2]}, tmp_path / "recipe")
    assert not (tmp_path / "recipe").exists()


def test_a_flipped_bit_is_found_when_the_rows_are_read(corpora, tmp_path):
    write_whole({2: corpora[2]}, tmp_path / "recipe")
    path = Path(corpora[2][0])
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)
    with pytest.raises(UserError, match="its checksum is not"):
        read_corpus(tmp_path / "recipe", {2: corpora[2]}, tmp_path)


def test_sequences_of_different_lengths_are_refused(tmp_path):
    corpora = {0: shards(tmp_path, 0), 1: shards(tmp_path, 1, length=3)}
    write_whole(corpora, tmp_path / "recipe")
    with pytest.raises(UserError, match="some have sequences of 4 tokens and some of 3"):
        read_corpus(tmp_path / "recipe", corpora, tmp_path)


def test_a_recipe_of_other_corpora_is_refused(corpora, tmp_path):
    write_whole({1: corpora[1]}, tmp_path / "recipe")
    with pytest.raises(UserError, match="names generation 1, which is no source"):
        read_corpus(tmp_path / "recipe", {2: corpora[2]}, tmp_path)
    with pytest.raises(UserError, match="generation 1, it names sequence 21, and there are 15"):
        read_corpus(tmp_path / "recipe", {1: corpora[1][:1]}, tmp_path)


def test_the_initial_corpus_is_a_draw_of_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("ouroboros.data.corpus.ROW_GROUP", 7)
    (path,) = shards(tmp_path, 0, rows=50, files=1)
    write_initial(path, 20, tmp_path / "initial")
    whole, initial = read_shards([path]), read_shards([tmp_path / "initial"])
    rows = split(50, 20)[0]
    assert np.array_equal(initial.tokens, whole.tokens[rows])
    assert np.array_equal(initial.previous, whole.previous[rows])
    with pytest.raises(UserError, match=r"has 50 sequences, .*`initial_sequences` are 51"):
        write_initial(path, 51, tmp_path / "more")


def test_a_part_of_nothing_is_left_out(tmp_path):
    write_recipe([Part([0], 0), Part([1])], {0: 5, 1: 5}, 0, 2, tmp_path / "recipe")
    assert counts(read_recipe(tmp_path / "recipe")) == {1: 5}
