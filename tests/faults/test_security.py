"""Nothing that is read can run: no pickles, no YAML objects, no shell, no path out of results/."""

import ast
import copy
import json
import os
import pickle
import re
import shutil

import numpy as np
import pytest
from tools import CONFIG, REPOSITORY, SCHEMA, TINY, initialise, read_shards

from ouroboros.config.resolve import SECTIONS, resolve
from ouroboros.data import sources
from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.tokenise import read_token_stories
from ouroboros.data.tokenizer import make_tokenizer, read_tokenizer
from ouroboros.errors import UserError
from ouroboros.metrics.classification import tasks
from ouroboros.metrics.classification.model import read_classifier
from ouroboros.metrics.gpt_eval import judge, prompts
from ouroboros.metrics.gpt_eval.reply_log import Replies
from ouroboros.model.checkpoint import read_checkpoint, read_lm, write_checkpoint
from ouroboros.storage.atomic import read_json
from ouroboros.storage.checksums import write_checksums
from ouroboros.storage.parquet import verify_parquet

CODE = sorted((REPOSITORY / "workflow").rglob("*.py"))
RULES = [REPOSITORY / "Snakefile", *sorted((REPOSITORY / "workflow").rglob("*.smk"))]
UNSAFE_MODULES = frozenset(
    ["pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"]
)
UNSAFE_CALLS = frozenset(
    [
        "eval",
        "exec",
        "compile",
        "os.system",
        "os.popen",
        "yaml.unsafe_load",
        "yaml.full_load",
        "yaml.load_all",
        "pd.read_pickle",
        "pandas.read_pickle",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
    ]
)


def calls(path):
    """Every call in a file: its name as written, and its keywords as written."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
            yield ast.unparse(node.func), keywords, ast.unparse(node)


SAFE_LOADERS = (
    "_Loader(yaml.SafeLoader)",
    '_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)',
)


def test_no_code_loads_a_pickle_or_calls_a_shell():
    assert len(CODE) > 50
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [getattr(alias, "name", alias) for alias in getattr(node, "names", [])]
            names.append(getattr(node, "module", None) or "")
            modules = {name.split(".")[0] for name in names if isinstance(name, str)}
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert not modules & UNSAFE_MODULES, path
        for name, keywords, text in calls(path):
            assert name not in UNSAFE_CALLS, (path, text)
            assert keywords.get("shell", "False") == "False", (path, text)
            assert keywords.get("allow_pickle", "False") == "False", (path, text)
            assert keywords.get("trust_remote_code", "False") == "False", (path, text)
            if name == "torch.load":
                assert keywords.get("weights_only") == "True", (path, text)
            if (
                name == "yaml.load"
            ):  # a loader of ours on top of the safe one, or libyaml's safe one
                assert text.endswith("_Loader)"), (path, text)
                assert any(of in path.read_text() for of in SAFE_LOADERS), path


def test_no_rule_has_a_shell_command():
    """Nothing of the configuration can reach a shell: rules run scripts, and these get objects."""
    for path in RULES:
        found = re.findall(r"^\s*(shell|run|notebook|wrapper|cwl)\s*:", path.read_text(), re.M)
        assert not found, path
        assert not re.search(r"\bshell\(|os\.system|subprocess|yaml\.load\(", path.read_text()), (
            path
        )


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return (os.mkdir, (self.trace,))


READERS = {
    "shard.parquet": lambda path: read_shards([path]),
    "stories.parquet": lambda path: list(sources.read_stories(path)),
    "tokens.parquet": read_token_stories,
    "task.parquet": lambda path: tasks.read_files(tasks.KINDS["cola"], [path]),
    "whole.parquet": verify_parquet,
    "epochs.json": read_json,
    "prompts.yaml": prompts.read_prompts,
    "grammar.yaml": StoryGrammar.from_file,
    "own.txt": lambda path: corpus_of(path),
    "own.jsonl": lambda path: corpus_of(path),
    "own.parquet": lambda path: corpus_of(path),
    "own.tsv": lambda path: tasks.read_files(tasks.KINDS["cola"], [path]),
}


def corpus_of(path):
    defaults = {"validation_files": [], "validation_share": 0.1, "column": "text", "separator": "|"}
    sources.read_source({"source": "files", "files": [str(path)], **defaults})


@pytest.fixture
def bomb(tmp_path):
    """Bytes that are a pickle; what it leaves behind when it is read must not be there."""
    content = pickle.dumps(Bomb(tmp_path / "exploded"))
    yield content
    assert not (tmp_path / "exploded").exists()
    pickle.loads(content)  # it would have
    assert (tmp_path / "exploded").exists()


@pytest.mark.parametrize("name", READERS)
def test_a_pickle_in_place_of_a_file(name, bomb, tmp_path):
    (tmp_path / name).write_bytes(bomb)
    with pytest.raises(UserError, match=re.escape(name)):
        READERS[name](tmp_path / name)


def test_a_pickle_in_the_judges_replies(bomb, tmp_path):
    (tmp_path / "replies.jsonl").write_bytes(bomb.replace(b"\n", b" ") + b"\n")
    with (
        pytest.raises(UserError, match="is not a judge's reply"),
        Replies(tmp_path / "replies.jsonl"),
    ):
        pass


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_pickle_in_a_checkpoint_whose_checksums_were_made_to_fit(
    bomb, file, model_settings, tokenizer_folder, tmp_path
):
    write_checkpoint(initialise(model_settings, 0), tokenizer_folder, 0, {}, tmp_path / "c")
    folder = tmp_path / "c"
    (folder / file).write_bytes(bomb)
    with pytest.raises(UserError, match="c is damaged"):
        read_lm(folder)
    write_checksums(folder)
    with pytest.raises(UserError):
        read_lm(folder)
    # transformers would take the weights of before safetensors, were they the only ones
    if file == "model.safetensors":
        shutil.move(folder / file, folder / "pytorch_model.bin")
        write_checksums(folder)
        for read in (read_checkpoint, lambda place: read_classifier(place, 2, np.array([1]), 0)):
            with pytest.raises(UserError):
                read(folder)


def test_code_in_a_checkpoint_is_not_run(model_settings, tokenizer_folder, tmp_path):
    write_checkpoint(initialise(model_settings, 0), tokenizer_folder, 0, {}, tmp_path / "c")
    trace = tmp_path / "ran"
    (tmp_path / "c/evil.py").write_text(f"import os; os.mkdir({str(trace)!r})\nclass E: pass\n")
    config = json.loads((tmp_path / "c/config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.E", "AutoModelForSequenceClassification": "evil.E"}
    (tmp_path / "c/config.json").write_text(json.dumps(config | {"model_type": "evil"}))
    write_checksums(tmp_path / "c")
    for read in (read_checkpoint, lambda place: read_classifier(place, 2, np.array([1]), 0)):
        with pytest.raises(UserError):
            read(tmp_path / "c")
    assert not trace.exists()


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json"])
def test_a_broken_tokenizer_is_named(tokenizer_folder, tmp_path, file):
    shutil.copytree(tokenizer_folder, tmp_path / "t")
    (tmp_path / "t" / file).write_text("{}")
    write_checksums(tmp_path / "t")
    with pytest.raises(UserError, match="t is damaged"):
        read_tokenizer(tmp_path / "t")


def test_a_broken_tokenizer_of_ones_own(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(UserError, match="tokenizer.json"):
        make_tokenizer({"source": "hub", "path": str(tmp_path), "end_of_text": "x"}, [])


@pytest.mark.parametrize("read", [prompts.read_prompts, StoryGrammar.from_file])
def test_yaml_makes_no_objects(read, tmp_path):
    (tmp_path / "a.yaml").write_text(f"- !!python/object/apply:os.mkdir ['{tmp_path}/ran']\n")
    with pytest.raises(UserError, match="a.yaml"):
        read(tmp_path / "a.yaml")
    assert not (tmp_path / "ran").exists()


NAMES = [
    "..", ".", "", "/etc", "a/b", "a\\b", "../x", "-rf", "--help", "{n}", "a{lineage}", "a*", "a?",
    "a b", "a\n", "a\x00", "a\x1b[31m", "a.b", "ä", "$HOME", "`id`", "a;b", "a|b", "'", '"', "~",
    "a" * 65, 7, None, True, 1.5,
]  # fmt: skip
NAMED_SECTIONS = [*SECTIONS.values(), "tasks", "judges", "lineages", "comparisons"]


@pytest.mark.parametrize("name", NAMES, ids=repr)
@pytest.mark.parametrize("section", NAMED_SECTIONS)
def test_no_name_can_leave_results(section, name):
    config = copy.deepcopy(CONFIG)
    config[section][name] = next(iter(config[section].values()))
    with pytest.raises(
        UserError, match=rf"config: {section}: the name .* cannot be used. A name is"
    ):
        resolve(config, SCHEMA)


def test_a_name_of_every_letter_is_good():
    config = copy.deepcopy(CONFIG)
    config["lineages"]["0a_-Z" + "a" * 59] = config["lineages"]["demo"]
    resolve(config, SCHEMA)


SECRET = "sk-proj-this-is-a-key-0123456789"


@pytest.mark.parametrize(
    "changes",
    [
        {"key_variable": SECRET},
        {"base_url": f"https://{SECRET}@api.openai.com/v1"},
        {"base_url": f"https://api.openai.com/v1?key={SECRET}"},
        {"api_key": SECRET},
    ],
)
def test_a_key_in_the_configuration_is_not_repeated(changes):
    config = copy.deepcopy(CONFIG)
    config["judges"]["gpt35"] |= changes
    with pytest.raises(UserError, match=f"judges.gpt35.*{next(iter(changes))}") as error:
        resolve(config, SCHEMA)
    assert SECRET not in str(error.value)


def test_a_key_that_is_none_is_not_repeated(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{SECRET} and a word")
    with pytest.raises(UserError, match="OPENAI_API_KEY") as error:
        judge.read_key("OPENAI_API_KEY")
    assert SECRET not in str(error.value)


def test_the_tiny_configuration_is_good():
    """So that what the tests above refuse is refused for its name alone."""
    config = copy.deepcopy(CONFIG)
    for section, entries in TINY.items():
        config[section] |= entries
    resolve(config, SCHEMA)
