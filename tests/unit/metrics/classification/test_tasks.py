"""The tasks' examples: the fixtures, the three kinds of files, a dataset, and what is wrong in words."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tools import REPOSITORY

from ouroboros.errors import UserError
from ouroboros.metrics.classification.tasks import KINDS, read_files, read_hub, write_examples

ROWS = [
    {"sentence1": "A cat sat.", "sentence2": 'It "sat".', "label": 1},
    {"sentence1": "A dog ran.", "sentence2": "", "label": 0},
    {"sentence1": "Été", "sentence2": "Summer", "label": 1},
]
PAIRS = [("A cat sat.", 'It "sat".'), ("A dog ran.", ""), ("Été", "Summer")]


@pytest.mark.parametrize("name", KINDS)
def test_fixtures_have_every_class_and_share_no_example(name):
    folder = REPOSITORY / "resources/classification"
    kind = KINDS[name]
    train, validation = (
        read_files(kind, [folder / f"{name}_{split}.jsonl"]) for split in ("train", "validation")
    )
    for examples, count in ((train, 48), (validation, 24)):
        assert len(examples.texts) == len(examples.labels) == count
        assert set(examples.labels) == set(range(len(kind.classes)))
        assert {len(text) for text in examples.texts} == {len(kind.columns)}
    assert not set(train.texts) & set(validation.texts)


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_jsonl_parquet_and_tsv_hold_the_same(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    paths = [
        tmp_path / "a.parquet",
        write(tmp_path, "a.jsonl", "\n\n".join(map(json.dumps, ROWS))),
        write(
            tmp_path, "a.tsv",
            "index\tsentence1\tsentence2\tlabel\n"
            + "".join(f"7\t{r['sentence1']}\t{r['sentence2']}\t{r['label']}\n" for r in ROWS),
        ),
    ]  # fmt: skip
    for path in paths:
        examples = read_files(KINDS["mrpc"], [path])
        assert examples.texts == PAIRS
        assert examples.labels.tolist() == [1, 0, 1]
    together = read_files(KINDS["mrpc"], paths)
    assert together.texts == PAIRS * 3
    assert together.labels.tolist() == [1, 0, 1] * 3


def test_classes_may_be_given_by_name(tmp_path):
    path = write(tmp_path, "a.tsv", "question\tsentence\tlabel\nWho?\tHe.\tnot_entailment\n")
    assert read_files(KINDS["qnli"], [path]).labels.tolist() == [1]


def test_a_label_may_be_a_float_or_its_text(tmp_path):
    """As pandas writes a column of whole numbers that once had a gap."""
    rows = [{"sentence": "x", "label": label} for label in (1.0, 0, "1.0", " 0 ", "1")]
    path = write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert read_files(KINDS["cola"], [path]).labels.tolist() == [1, 0, 1, 0, 1]
    pq.write_table(pa.table({"label": [1.0, 0.0], "sentence": ["x", "y"]}), tmp_path / "a.parquet")
    assert read_files(KINDS["cola"], [tmp_path / "a.parquet"]).labels.tolist() == [1, 0]


def test_numbered_classes_are_matched_by_their_names(tmp_path, monkeypatch):
    """A dataset that lists the classes in another order, and one with names of its own."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))

    def save(*names):
        label = {"names": names, "_type": "ClassLabel"}
        features = {"text": {"dtype": "string", "_type": "Value"}, "label": label}
        kept = {"huggingface": json.dumps({"info": {"features": features}})}
        table = pa.table({"text": ["good", "bad", "fine"], "label": [0, 1, 0]})
        folder = tmp_path / names[0]
        folder.mkdir()
        pq.write_table(table.replace_schema_metadata(kept), folder / "train.parquet")
        return folder

    folder = save("pos", "neg")
    assert read_hub(KINDS["imdb"], str(folder), None, "train").labels.tolist() == [1, 0, 1]
    assert read_files(KINDS["imdb"], [folder / "train.parquet"]).labels.tolist() == [1, 0, 1]
    with pytest.raises(UserError, match="train.parquet, row 0: the label 'good' is none.*positive"):
        read_files(KINDS["imdb"], [save("good", "bad") / "train.parquet"])


def test_what_is_written_is_read(tmp_path):
    path = write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, ROWS)))
    examples = read_files(KINDS["rte"], [path])
    write_examples(KINDS["rte"], examples, tmp_path / "b.parquet")
    again = read_files(KINDS["rte"], [tmp_path / "b.parquet"])
    assert again.texts == examples.texts
    assert again.labels.tolist() == examples.labels.tolist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "", "a.jsonl holds no example. An example has 'sentence' and 'label'"),
        ("a.tsv", "", "a.tsv holds no example"),
        ("a.tsv", "sentence\tlabel\n", "a.tsv holds no example"),
        ("a.csv", "x", "a.csv: a task's file ends in .jsonl, .parquet or .tsv"),
        ("a.jsonl", b"caf\xe9", "a.jsonl is not UTF-8 text .byte 3."),
        ("a.jsonl", '{"sentence": "x", "label": 1}\n{"sen', "a.jsonl, line 2 is not JSON"),
        ("a.jsonl", "[1]", "a.jsonl, line 1 is not a JSON object"),
        (
            "a.jsonl",
            '{"sentence": "x", "label": 1}\n{"text": "x", "label": 1}',
            "line 2: there is no column 'sentence'; there are 'text', 'label'",
        ),
        ("a.jsonl", '{"sentence": "x"}', "line 1: there is no column 'label'"),
        (
            "a.jsonl",
            '{"sentence": "x", "label": 2}',
            r"line 1: the label 2 is none of this task's: 0 .negative., 1 .positive.",
        ),
        ("a.jsonl", '{"sentence": "x", "label": -1}', "the label -1 is none of this task's"),
        ("a.jsonl", '{"sentence": "x", "label": true}', "the label True is none"),
        ("a.jsonl", '{"sentence": "x", "label": "good"}', "the label 'good' is none"),
        (
            "a.jsonl",
            '{"sentence": null, "label": 1}',
            "line 1: the column 'sentence' holds null, not text",
        ),
        ("a.tsv", "sentence\tlabel\nx\t1\ny\n", "line 3 has 1 columns; the first line names 2"),
        ("a.tsv", "sentence\tlabel\tlabel\nx\t1\t0\n", "line 2: there are two columns 'label'"),
        ("a.jsonl", '{"sentence": "x", "label": 1, "label": 0}', "there are two columns 'label'"),
        ("a.jsonl", '{"sentence": "x", "label": 0.5}', "the label 0.5 is none"),
        ("a.jsonl", '{"sentence": "x", "label": NaN}', "the label nan is none"),
        ("a.jsonl", '{"sentence": "x", "label": null}', "the label None is none"),
        ("a.jsonl", '{"sentence": "x", "label": [1]}', r"the label \[1\] is none"),
        ("a.tsv", "sentence\tlabel\nx\t7\n", "line 2: the label '7' is none of this task's"),
        ("a.parquet", "not parquet", "a.parquet is not a readable parquet file"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message):
        read_files(KINDS["sst2"], [write(tmp_path, name, content)])


def test_bad_rows_of_parquet_are_named(tmp_path):
    pq.write_table(pa.table({"text": ["x", "y"], "label": [4, 5]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="a.parquet, row 1: the label 5 is none.*4 .5 stars."):
        read_files(KINDS["yelp"], [tmp_path / "a.parquet"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="none.jsonl cannot be read: No such file"):
        read_files(KINDS["sst2"], [tmp_path / "none.jsonl"])


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """A local folder like nyu-mll/glue: a subset in a folder, a file per split."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "glue/mrpc").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "glue/mrpc/train-00000.parquet")
    (tmp_path / "glue/README.md").write_text(
        "---\nconfigs:\n- config_name: mrpc\n  data_files:\n"
        "  - split: train\n    path: mrpc/train-*\n---\n"
    )
    return str(tmp_path / "glue")


def test_the_hub_source_reads_a_subset(dataset):
    examples = read_hub(KINDS["mrpc"], dataset, "mrpc", "train")
    assert examples.texts == PAIRS
    assert examples.labels.tolist() == [1, 0, 1]


def test_what_a_dataset_does_not_have_is_named(dataset):
    with pytest.raises(UserError, match=r"'mrpc?' cola: (?s:.*)mrpc|glue' cola, split(?s:.*)mrpc"):
        read_hub(KINDS["mrpc"], dataset, "cola", "train")
    with pytest.raises(UserError, match="mrpc, split 'test': (?s:.*)train"):
        read_hub(KINDS["mrpc"], dataset, "mrpc", "test")
    with pytest.raises(UserError, match="split 'train': there is no column 'text'"):
        read_hub(KINDS["imdb"], dataset, "mrpc", "train")


def test_an_unreachable_hub_says_what_works_offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="nobody/nothing.*Without a network.*source: files"):
        read_hub(KINDS["imdb"], "nobody/nothing", None, "train")
