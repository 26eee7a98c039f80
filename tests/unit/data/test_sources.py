"""Corpus sources: real files, a real local dataset, and what is wrong with them in words."""

import functools
import json
import operator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ouroboros.data.readers import read_rows
from ouroboros.data.sources import read_source, read_stories, write_splits
from ouroboros.errors import UserError

FILES = {
    "source": "files", "files": [], "validation_files": [], "validation_share": 0.1,
    "column": "text", "separator": "<|endoftext|>", "held_out": 0.05,
}  # fmt: skip
HUB = {
    "source": "hub", "column": "text", "train_split": "train", "validation_split": "validation",
    "held_out": 0.05,
}  # fmt: skip


def texts_of(path):
    return [text for texts, _ in read_stories(path) for text in texts]


def files(tmp_path, **contents):
    paths = []
    for name, content in contents.items():
        paths.append(tmp_path / name.replace("_", "."))
        paths[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
    return [str(path) for path in paths]


def test_txt_jsonl_and_parquet_together(tmp_path):
    paths = files(
        tmp_path,
        a_txt="One.\n<|endoftext|>\nTwo.\n",
        b_jsonl='{"text": "Three."}\n\n{"text": "Four."}\n',
    )
    pq.write_table(pa.table({"text": ["Five.", None, "Six."]}), tmp_path / "c.parquet")
    settings = FILES | {
        "files": [*paths, str(tmp_path / "*.parquet")],
        "validation_files": paths[:1],
    }
    train, validation = read_source(settings)
    assert [story.text.strip() for story in train] == [
        "One.",
        "Two.",
        "Three.",
        "Four.",
        "Five.",
        "Six.",
    ]
    assert [story.text.strip() for story in validation] == ["One.", "Two."]


def test_a_null_is_no_story_and_another_column_no_text(tmp_path):
    paths = files(tmp_path, a_jsonl='{"text": null}\n{"text": "One."}')
    assert [story.text for story in read_source(FILES | {"files": paths})[1]] == ["One."]
    pq.write_table(pa.table({"story": ["Two."]}), tmp_path / "b.parquet")
    with pytest.raises(UserError, match="b.parquet, row 0: there is no text under 'text'.*'story'"):
        read_source(FILES | {"files": [str(tmp_path / "b.parquet")]})


def test_rows_of_parquet_are_numbered_through(tmp_path):
    texts = [f"Story {n}." for n in range(20_001)]
    pq.write_table(pa.table({"text": [*texts, 7 * "x"]}), tmp_path / "a.parquet")
    places = [place for place, _ in read_rows(tmp_path / "a.parquet")]
    assert places == [f"{tmp_path / 'a.parquet'}, row {n}" for n in range(20_002)]


def test_splits_share_nothing_and_lose_nothing(tmp_path):
    texts = [f"Story {n}." for n in range(200)]
    paths = files(tmp_path, all_jsonl="\n".join(json.dumps({"text": text}) for text in texts))
    outputs = {split: tmp_path / split for split in ("train", "heldout", "validation")}
    counts = write_splits(FILES | {"files": paths}, outputs)
    assert counts == {"train": 171, "heldout": 9, "validation": 20}  # 10 % of 200, 5 % of 180
    found = {split: texts_of(path) for split, path in outputs.items()}
    assert sorted(functools.reduce(operator.iadd, found.values(), [])) == sorted(texts)
    again = {split: tmp_path / f"{split}2" for split in outputs}
    write_splits(FILES | {"files": paths}, again)
    assert {split: texts_of(path) for split, path in again.items()} == found


def test_a_separator_of_ones_own(tmp_path):
    paths = files(tmp_path, a_txt="One.\n\nTwo.\n\nThree.")
    settings = FILES | {"files": paths, "separator": "\n\n", "validation_files": paths}
    assert [story.text for story in read_source(settings)[0]] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a_txt", b"caf\xe9 " * 9, "a.txt is not UTF-8 text .byte 3."),
        ("a_txt", "", "a.txt, named under `files` of the corpus, holds no text"),
        ("a_txt", " \n<|endoftext|>\n ", "holds no text"),
        ("a_pdf", "x", "a.pdf: a corpus file ends in .txt, .jsonl or .parquet"),
        ("a_jsonl", '{"text": "x"}\n{"text": ', "a.jsonl, line 2 is not JSON"),
        (
            "a_jsonl",
            '{"story": "x"}',
            "line 1: there is no text under 'text'; its keys are 'story'. Set",
        ),
        ("a_jsonl", '{"text": 7}', "line 1: there is no text under 'text'; its keys are 'text'"),
        ("a_jsonl", "[1]", "a.jsonl, line 1 is not a JSON object"),
        ("a_jsonl", b'{"text": "caf\xe9"}', "a.jsonl is not UTF-8 text .byte 13."),
        ("a_parquet", "not parquet", "a.parquet is not a readable parquet file"),
        ("a_txt", "Only one story.", "1 training and|0 training and 1 validation"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, message):
    settings = FILES | {"files": files(tmp_path, **{name: content})}
    outputs = {split: tmp_path / split for split in ("train", "heldout", "validation")}
    with pytest.raises(UserError, match=message):
        write_splits(settings, outputs)
    assert not any(path.exists() for path in outputs.values())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="none.txt, named under `files`.*No such file"):
        read_source(FILES | {"files": [str(tmp_path / "none.txt")]})


@pytest.fixture
def dataset(tmp_path):
    """A local folder with the splits and the column of roneneldan/TinyStories."""
    (tmp_path / "dataset/data").mkdir(parents=True)
    for split, count in (("train", 30), ("validation", 4)):
        table = pa.table({"text": [f"{split} {n}" for n in range(count)]})
        pq.write_table(table, tmp_path / f"dataset/data/{split}-00000-of-00001.parquet")
    return str(tmp_path / "dataset")


def test_the_hub_source_reads_a_local_dataset(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    train, validation = read_source(HUB | {"path": dataset})
    assert [story.text for story in train] == [f"train {n}" for n in range(30)]
    assert [story.text for story in validation] == [f"validation {n}" for n in range(4)]


def test_a_column_or_split_that_a_dataset_does_not_have(dataset):
    with pytest.raises(UserError, match="no column 'story'; it has text. Set `column`"):
        read_source(HUB | {"path": dataset, "column": "story"})
    with pytest.raises(UserError, match=r"split 'test': (?s:.*)validation"):
        read_source(HUB | {"path": dataset, "validation_split": "test"})


def test_an_unreachable_hub_says_what_works_offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="nobody/nothing.*Without a network.*source: files"):
        read_source(HUB | {"path": "nobody/nothing"})
