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
        "files": [*paths, str(tmp_path / "c.parquet")],
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
    with pytest.raises(
        UserError, match="b.parquet: there is no column 'text'; there are 'story'. Set"
    ):
        read_source(FILES | {"files": [str(tmp_path / "b.parquet")]})


def test_rows_of_parquet_are_numbered_through(tmp_path):
    texts = [f"Story {n}." for n in range(20_001)]
    pq.write_table(pa.table({"text": [*texts, 7 * "x"]}), tmp_path / "a.parquet")
    places = [place for place, _ in read_rows(tmp_path / "a.parquet", ["text"])]
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


def test_a_validation_set_may_be_a_part_of_its_stories(tmp_path):
    """Drawn from all of it, the same each time; what is learnt from does not change."""
    texts = [f"Story {n}." for n in range(200)]
    settings = FILES | {"files": files(tmp_path, all_txt="\n\n".join(texts)), "separator": "\n\n"}
    found = []
    for more in (
        {},
        {"validation_stories": 7},
        {"validation_stories": 7},
        {"validation_stories": 999},
    ):
        outputs = {split: tmp_path / split for split in ("train", "heldout", "validation")}
        write_splits(settings | more, outputs)
        found.append([texts_of(path) for path in outputs.values()])
    whole, part, again, plenty = found
    assert len(part[2]) == 7 and part == again and plenty == whole
    assert set(part[2]) < set(whole[2]) and part[2] != whole[2][:7]
    assert part[:2] == whole[:2]


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
            "line 1: there is no column 'text'; there are 'story'. Set `column` of the corpus",
        ),
        ("a_jsonl", '{"text": 7}', "line 1: the column 'text' holds int64, not text: 7."),
        ("a_jsonl", '{"text": [1, {}]}', "line 1: the column 'text' holds list, not text"),
        ("a_jsonl", '{"text": NaN}', "line 1: the column 'text' holds double, not text: nan"),
        ("a_jsonl", '{"text": "a", "x": 1, "text": "b"}', "line 1: there are two columns 'text'"),
        ("a_jsonl", r'{"text": "a \ud83d b"}', r"line 1: the column 'text' holds .ud83d, half of"),
        ("a_jsonl", '{"text": 1' + 5000 * "0" + "}", "a.jsonl, line 1 cannot be read"),
        ("a_txt", "\ufeff", "holds no text"),
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


def test_no_story_has_a_byte_order_mark(tmp_path):
    paths = files(
        tmp_path,
        a_txt="\ufeffOne.<|endoftext|>\ufeffTwo.",  # of two files that were joined
        b_jsonl='\ufeff{"text": "Three."}\n\ufeff{"text": "\ufeffFour."}',
        c_jsonl=r'{"text": "\ufeffFive."}',
    )
    pq.write_table(pa.table({"text": ["\ufeffSix."]}), tmp_path / "d.parquet")
    settings = FILES | {"files": [*paths, str(tmp_path / "d.parquet")], "validation_files": paths}
    texts = [story.text for story in read_source(settings)[0]]
    assert texts == ["One.", "Two.", "Three.", "Four.", "Five.", "Six."]


NO_TEXT = [
    ([b"One."], None, "row 0: the column 'text' holds binary, not text"),
    (["One.", None, b"Two."], pa.binary(), "row 0: the column 'text' holds binary"),
    ([7], None, "row 0: the column 'text' holds int64, not text: 7."),
    ([float("nan")], None, "holds double, not text: nan."),
    ([["One."]], None, "holds list<item: string>, not text: .'One.'"),
    ([{"role": "user"}], None, "holds struct<role: string>, not text"),
    (['"One."'], getattr(pa, "json_", pa.binary)(), "the column 'text' holds (JSON|binary), not text"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kind", "message"), NO_TEXT)
def test_a_column_of_something_else_is_refused(tmp_path, values, kind, message):
    pq.write_table(pa.table({"text": pa.array(values, kind)}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=message):
        read_source(FILES | {"files": [str(tmp_path / "a.parquet")]})


def test_columns_of_parquet_are_found_by_name_and_others_left_alone(tmp_path):
    """Neither the year 20,000 nor the folder's name is any matter of the text's."""
    (tmp_path / "text=x").mkdir()
    path = tmp_path / "text=x/a.parquet"
    late = pa.array([2**59, 2**59], pa.timestamp("us"))
    pq.write_table(pa.table({"at": late, "text": ["One.", "Two."]}), path)
    assert [row["text"] for _, row in read_rows(path, ["text"])] == ["One.", "Two."]
    pq.write_table(pa.table([["One."], ["Two."]], names=["text", "text"]), path)
    with pytest.raises(UserError, match="a.parquet: there are two columns 'text'. Rename"):
        list(read_rows(path, ["text"]))


def test_bytes_of_another_encoding_in_parquet(tmp_path):
    offsets, latin = pa.py_buffer(b"\0\0\0\0\4\0\0\0"), pa.py_buffer(b"caf\xe9")
    text = pa.StringArray.from_buffers(1, offsets, latin)
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="a.parquet: text in row 0 or .* is not UTF-8"):
        read_source(FILES | {"files": [str(tmp_path / "a.parquet")]})


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
    with pytest.raises(UserError, match="no column 'story'; there are 'text'. Set `column`"):
        read_source(HUB | {"path": dataset, "column": "story"})
    with pytest.raises(UserError, match=r"split 'test': (?s:.*)validation"):
        read_source(HUB | {"path": dataset, "validation_split": "test"})


def test_a_dataset_is_read_as_files_are(tmp_path, monkeypatch):
    """Nulls are left out, byte order marks and what is no text too; a cause is told as it is."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))

    def read(name, content, suffix="parquet"):
        for split in ("train", "validation"):
            path = tmp_path / name / f"{split}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            pq.write_table(content, path) if suffix == "parquet" else path.write_text(content)
        outputs = {split: tmp_path / split for split in ("train", "heldout", "validation")}
        write_splits(HUB | {"path": str(tmp_path / name)}, outputs)
        return texts_of(outputs["validation"])

    texts = ["One.", None, "\ufeffTwo.", " "]
    assert read("nulls", pa.table({"text": texts})) == ["One.", "Two."]
    with pytest.raises(UserError, match="split 'train', row 0: the column 'text' holds binary"):
        read("bytes", pa.table({"text": [b"One."]}))
    with pytest.raises(UserError, match="split 'train': there are two columns 'text'"):
        read("csv", "text,text\nOne.,Two.\n", "csv")
    with pytest.raises(UserError, match=r"could not be loaded .ArrowInvalid.*twice in row 0.\.$"):
        read("json", '{"text": "One.", "text": "Two."}\n', "jsonl")


def test_an_unreachable_hub_says_what_works_offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="nobody/nothing.*Without a network.*source: files"):
        read_source(HUB | {"path": "nobody/nothing"})
