"""The files that a configuration names: which they are, and what is said of those that do not fit."""

import os
import time
from pathlib import Path

import pytest
from tools import REPOSITORY

from ouroboros.errors import UserError
from ouroboros.pipeline import local_files

HUB = {"source": "hub", "train_split": "train", "validation_split": "test"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The folder that snakemake runs in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def make(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("story")


def of_corpus(files, validation_files=()):
    settings = {"source": "files", "files": files, "validation_files": validation_files}
    return local_files.source_files("mine", settings, Path())


def of_task(files, validation_files):
    settings = {"source": "files", "files": files, "validation_files": validation_files}
    return local_files.task_files("mine", settings, Path())


def test_local_files_are_looked_for_before_anything_runs():
    make("a.txt", "b.txt")
    assert of_corpus(["*.txt"]) == {"files": ["a.txt", "b.txt"], "validation_files": []}
    with pytest.raises(UserError, match=r"corpora.mine.files: 'c\*' matches no file"):
        of_corpus(["c*"])
    later = time.time() + 3600
    os.utime("b.txt", (later, later))
    with pytest.raises(UserError, match="b.txt was last changed at .* touch b.txt"):
        of_corpus(["*.txt"])


@pytest.mark.parametrize("name", ["story [1].txt", "[ab].txt", "a*.txt", "what?.txt", "a{x}.txt"])
def test_the_name_of_a_file_stands_for_it(name):
    make(name, "1.txt", "a.txt", "aa.txt", "whatx.txt")
    assert of_corpus([name])["files"] == [name]


def test_each_file_counts_once():
    make("a.txt", "b.txt")
    os.symlink("a.txt", "c.txt")
    os.link("b.txt", "d.txt")
    assert of_corpus(["b.txt", "*.txt", "./a.txt"])["files"] == ["b.txt", "a.txt"]


@pytest.mark.parametrize("of", [of_corpus, of_task])
def test_no_file_is_trained_on_and_measured_on(of):
    make("a.txt", "valid.txt")
    os.symlink("valid.txt", "other")
    for name in ("valid.txt", "./valid.txt", "other", os.path.abspath("valid.txt")):
        with pytest.raises(UserError, match="mine: .* is among `files` and among `validation_f"):
            of(["*.txt"], [name])
    assert list(of(["a.txt"], ["valid.txt"]).values()) == [["a.txt"], ["valid.txt"]]


def test_folders_are_passed_over_and_results_are_no_text_of_ones_own():
    make("in/a.txt", "in/deep/b.txt", "in/folder.txt/.keep", "results/corpora/c/c.txt")
    assert of_corpus(["in/*"])["files"] == ["in/a.txt"]
    assert of_corpus(["**/*.txt"])["files"] == ["in/a.txt", "in/deep/b.txt"]
    assert of_corpus(["**"])["files"] == ["in/a.txt", "in/deep/b.txt"]
    assert of_corpus(["results/**/*.txt"])["files"] == ["results/corpora/c/c.txt"]
    with pytest.raises(UserError, match="files: 'in' is a folder. The files in it are 'in/.'"):
        of_corpus(["in"])
    os.symlink("nowhere", "in/lost.txt")
    with pytest.raises(UserError, match="files: in/lost.txt cannot be read: No such file"):
        of_corpus(["in/*"])


def test_home_and_variables_are_filled_in(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLACE", "texts")
    make(tmp_path / "texts/a.txt", tmp_path / "texts/tokenizer.json")
    there = str(tmp_path / "texts/a.txt")
    for path in ("~/texts/a.txt", "$HOME/texts/*.txt", "~/${PLACE}/a.txt"):
        assert of_corpus([path])["files"] == [there]
    hub = HUB | {"path": "~/$PLACE"}
    assert there in local_files.source_files("mine", hub, Path())["files"]
    assert there in local_files.task_files("mine", hub, Path())["folder"]
    assert local_files.tokenizer_files("mine", hub)["files"][0].startswith(str(tmp_path))
    assert local_files.prompts_file("mine", "~/texts/a.txt", Path("/x")) == there
    with pytest.raises(UserError, match="UNSET/a.txt' matches no file"):
        of_corpus(["$UNSET/a.txt"])


def test_a_local_dataset_is_its_files():
    make("data/b.csv", "data/a/train.csv", "data/README.md", "data/.git/index", "data/.cache/x")
    expected = ["data/README.md", "data/a/train.csv", "data/b.csv"]
    hub = HUB | {"path": "data"}
    assert local_files.source_files("mine", hub, Path()) == {"files": expected}
    assert local_files.task_files("mine", hub, Path()) == {"folder": expected}
    on_the_hub = HUB | {"path": "owner/name"}
    assert local_files.source_files("mine", on_the_hub, Path()) == {"files": []}
    assert local_files.tokenizer_files("mine", on_the_hub) == {}
    with pytest.raises(UserError, match="holds the folder that snakemake runs in"):
        local_files.source_files("mine", HUB | {"path": ".."}, Path())
    make("story [1]/train.csv")
    with pytest.raises(UserError, match=r"corpora.mine.path: .*story \[1\] has a \[, . or"):
        local_files.source_files("mine", HUB | {"path": "story [1]"}, Path())
    with pytest.raises(UserError, match="train_split and validation_split are both 'test'"):
        local_files.source_files("mine", hub | {"train_split": "test"}, Path())


def test_a_file_that_can_be_no_input_is_a_parameter_that_changes_with_it():
    make("a.txt", "b{x}.txt", "c<y>.txt")
    files = of_corpus(["*.txt"])
    assert local_files.inputs(files) == {"files": ["a.txt"], "validation_files": []}
    settings = local_files.other_inputs(files)
    assert local_files.all_inputs({"files": ["a.txt"]}, settings, "files") == files["files"]
    assert local_files.all_inputs({"files": ["a.txt"]}, settings, "validation_files") == []
    os.utime("b{x}.txt", (1, 1))
    assert local_files.other_inputs(files) == settings
    Path("b{x}.txt").write_text("STORY")
    assert local_files.other_inputs(files) != settings
    assert local_files.other_inputs({"files": ["a.txt"]}) == {}


def test_files_of_tasks_and_prompts(tmp_path):
    fixture = local_files.task_files("demo-sst2", {"source": "fixture", "kind": "sst2"}, REPOSITORY)
    assert fixture["train"] == [str(REPOSITORY / "resources/classification/sst2_train.jsonl")]
    assert local_files.prompts_file("demo", "hub", REPOSITORY) == []
    assert local_files.prompts_file("demo", "resources/prompts.yaml", REPOSITORY)
    with pytest.raises(
        UserError, match="The lineage demo: `prompts` of its evaluation: there is no"
    ):
        local_files.prompts_file("demo", "none.yaml", tmp_path)
