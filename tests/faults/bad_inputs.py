"""Bad inputs, each with a way to hand it in. `python tests/faults/bad_inputs.py` writes docs/bad-input.md.

The messages in that table are what these give; test_bad_input_table.py sees to it that they stay.
"""

import copy
import html
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(REPOSITORY / "workflow/scripts"), str(REPOSITORY / "tests")]

from judge_server import JudgeServer, error  # noqa: E402
from tools import snakemake  # noqa: E402

from ouroboros import gpus, judge, prompts, settings, sources, tasks, tokenizer  # noqa: E402
from ouroboros.artifacts import read_json, write_json, write_text  # noqa: E402
from ouroboros.corpus import Corpus  # noqa: E402
from ouroboros.errors import UserError  # noqa: E402
from ouroboros.grammar import StoryGrammar  # noqa: E402
from ouroboros.replies import Replies  # noqa: E402
from ouroboros.sums import check_sums  # noqa: E402

DOCS = REPOSITORY / "docs/bad-input.md"
CONFIG = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
RESERVED = frozenset({"train", "all"})
KNOWN = [gpus.Device("GPU-0aaa", "0", 1.0), gpus.Device("GPU-1bbb", "1", 1.0)]


# Configuration: one key of the shipped config.yaml set, and resolved.
CONFIGURATION = [
    ("lineage", {}),
    ("models.1m.layer", 3),
    ("models.1m.layers", 0),
    ("models.1m.layers", "eight"),
    ("models.1m.layers", "8"),
    ("models.1m.layers", 2.5),
    ("models.1m.layers", None),
    ("models.1m.hidden_size", [64]),
    ("models.1m", 8),
    ("models.1m", {"layers": 8, "heads": 2}),
    ("models.1m.heads", 7),
    ("models.1m.positions", 300),
    ("models.1m.initial_std", float("nan")),
    ("models.bad name", {}),
    ("models.../../x", {}),
    ("models.-x", {}),
    ("training.paper.learning_rate", "5e-4"),
    ("training.paper.learning_rate", -1),
    ("training.paper.learning_rate", float("inf")),
    ("training.paper.betas", [0.9]),
    ("training.paper.betas", [0.9, 1.5]),
    ("training.paper.precision", "fp8"),
    ("training.paper.epochs", "three"),
    ("training.paper.epochs", 0),
    ("training.paper.batch", True),
    ("sampling.paper.temperature", 0),
    ("sampling.paper.sequence_length", 1),
    ("sampling.demo.shards", 5000),
    ("sampling.demo.shards", 7),
    ("sampling.demo.sequences", 1.0e6 + 0.5),
    ("evaluation.demo.context", 512),
    ("evaluation.paper.judge", "gpt4"),
    ("evaluation.paper.lexicon_cut", 3),
    ("evaluation.paper.lexicon_cut", float("nan")),
    ("evaluation.demo.classification.tasks", ["sst3"]),
    ("evaluation.demo.classification.tasks", "sst2"),
    ("evaluation.demo.classification.tasks", ["sst2", "sst2"]),
    ("evaluation.demo.classification.max_length", 512),
    ("corpora.tinystories.source", "web"),
    ("corpora.tinystories.files", ["a.txt"]),
    ("corpora.x", {"source": "files"}),
    ("corpora.x", {"source": "files", "files": []}),
    ("corpora.x", {"source": "files", "files": "a.txt"}),
    ("corpora.x", {}),
    ("corpora.grammar.stories", 2),
    ("tokenizers.big", {"source": "train", "vocabulary_size": 70000}),
    ("tokenizers.big", {"source": "gpt3"}),
    ("tasks.own", {"kind": "sst3", "source": "fixture"}),
    ("tasks.own", {"kind": "sst2", "source": "files", "files": ["a.tsv"]}),
    ("judges.gpt35.base_url", "api.openai.com/v1"),
    ("judges.gpt35.api_key", "sk-123"),
    ("judges.gpt35.key_variable", "sk-123"),
    ("judges.gpt35.temperature", 3),
    ("judges.gpt35.budget", -1),
    ("lineages.33m.model", "33n"),
    ("lineages.33m.model", 33),
    ("lineages.33m.corpus", "tinystory"),
    ("lineages.33m.regime", "mix"),
    ("lineages.33m.seed", -1),
    ("lineages.33m.generations", True),
    ("lineages.33m.generations", 0),
    ("lineages.33m.overrides.train", {}),
    ("lineages.33m.overrides.training.learning_rte", 1),
    ("lineages.33m.overrides.resources.trian", {}),
    ("lineages.33m.overrides.resources.train", 1),
    ("lineages.33m.overrides.resources.train.gpus", 2),
    ("lineages.train", {"corpus": "grammar", "model": "1m"}),
    ("lineages.x", {"corpus": "grammar"}),
    ("lineages.x", None),
    ("comparisons.33m", ["33m"]),
    ("comparisons.both", ["33m", "2m"]),
    ("comparisons.both", []),
    ("resources.train.gpu", 1.5),
    ("resources.train.gpu", -1),
    ("resources.train.gpu", 64),
    ("resources.train.gpu", 100),
    ("resources.train.mem_mb", "10GB"),
    ("resources.sample.batch", 2.5),
    ("resources.sample.batch", "all"),
]


def configured(key, value):
    config = copy.deepcopy(CONFIG)
    section, _, rest = key.partition(".")
    names = [section]
    if rest:  # a name under test may hold dots itself
        name = next((n for n in ("../../x",) if rest == f"{n}"), None)
        names += [name] if name else rest.split(".")
    place = config
    for part in names[:-1]:
        place = place.setdefault(part, {})
    place[names[-1]] = value
    settings.resolve(config, SCHEMA, RESERVED)


def corpus(path):
    """A corpus of one file, with the settings that the schema fills in."""
    defaults = {"validation_files": [], "validation_share": 0.1, "column": "text",
                "separator": "<|endoftext|>", "held_out": 0.05}  # fmt: skip
    outputs = {split: path.with_name(split) for split in sources.SPLITS}
    sources.write_splits({"source": "files", "files": [str(path)], **defaults}, outputs)


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


def task(path):
    tasks.read_files(tasks.KINDS["mrpc"], [path])


def two(*labels):
    return "".join(
        json.dumps({"sentence1": "a", "sentence2": "b", "label": x}) + "\n" for x in labels
    )


def tokens_of(path):
    return tokenizer.make_tokenizer(
        {"source": "hub", "path": str(path.parent), "end_of_text": "<|endoftext|>"}, []
    )


def replies(path):
    with Replies(path):
        pass


TSV = "sentence1\tsentence2\tlabel\n"
GRAMMAR = "lists: {}\nsymbols: {}\n"
# Files: a file's name, what is in it, and who reads it.
FILES = [
    ("empty.txt", b"", corpus),
    ("latin1.txt", b"caf\xe9 and more", corpus),
    ("one.txt", b"One story.", corpus),
    ("story.pdf", b"x", corpus),
    ("broken.jsonl", b'{"text": "a"}\n{"text": ', corpus),
    ("other.jsonl", b'{"story": "a"}', corpus),
    ("number.jsonl", b'{"text": 7}', corpus),
    ("list.jsonl", b'["a"]', corpus),
    ("text.parquet", b"text", corpus),
    ("column.parquet", lambda path: parquet(path, story=["a"]), corpus),
    ("short.jsonl", b'{"sentence1": "a", "label": 1}', task),
    ("label.jsonl", two(2).encode(), task),
    ("bool.jsonl", two(True).encode(), task),
    ("text.jsonl", two("yes").encode(), task),
    ("empty.jsonl", b"", task),
    ("task.csv", b"", task),
    ("columns.tsv", (TSV + "a\tb\n").encode(), task),
    ("bytes.tsv", TSV.encode() + b"\xff\tb\t1\n", task),
    ("task.parquet", b"text", task),
    ("prompts.yaml", b"a: [", prompts.read_prompts),
    ("mapping.yaml", b"a: b", prompts.read_prompts),
    ("colon.yaml", b"- Tom said: hello", prompts.read_prompts),
    ("none.yaml", b"[]", prompts.read_prompts),
    ("grammar.yaml", b"lists: [", StoryGrammar.from_file),
    ("empty.yaml", b"", StoryGrammar.from_file),
    ("hollow.yaml", GRAMMAR.encode(), StoryGrammar.from_file),
    ("tokenizer.json", b"{}", tokens_of),
    ("epochs.json", b'{"epochs": ', read_json),
    ("shard-00000.parquet", b"PAR1", lambda path: Corpus.read([path])),
    ("SHA256SUMS", b"00  model.safetensors\n", lambda path: check_sums(path.parent)),
    ("replies.jsonl", b'{"key": "a"}\n', replies),
]


# The command line: what stands behind `snakemake -n --cores 1`.
COMMANDS = [
    ["dmeo"],
    ["33M"],
    ["train"],
    ["results/34m/gen4/ppl.json"],
    ["results/33m/gen4/pl.json"],
    ["results/33m/gen04/ppl.json"],
    ["results/33m/gen0/ppl.json"],
    ["results/33m/gen4/corpus/shard-00004.parquet"],
    ["results/33m/gen1/gpt_eval.json"],
    ["result/33m/gen4/ppl.json"],
    ["results/../../etc/x"],
    ["--configfile", "missing.yaml"],
    ["--configfile", "broken.yaml"],
    ["--configfile", "list.yaml"],
    ["--configfile", "object.yaml"],
    ["--config", "lineage={}"],
    ["--config", "models={m: {layers: 2, hidden_size: 8, heads: 4}}"],
    ["--configfile", "files.yaml"],
    ["--configfile", "prompts.yaml"],
    ["--resources", "gpu=1", "results/33m/gen1/ppl.json"],
]
CONFIGFILES = {
    "broken.yaml": "lineages: {mine: {corpus: grammar\n",
    "list.yaml": "- lineages\n",
    "object.yaml": "lineages: !!python/object/apply:os.getcwd []\n",
    "files.yaml": "corpora: {mine: {source: files, files: [stories/*.txt]}}\n"
    "lineages: {mine: {corpus: mine, model: 1m}}\n",
    "prompts.yaml": "evaluation: {paper: {prompts: mine.yaml, judge: gpt35}}\n",
}


def command(folder, words):
    """What Snakemake says at last, without the lines of its Snakefile."""
    for name, text in CONFIGFILES.items():
        (folder / name).write_text(text)
    words = [str(folder / word) if word in CONFIGFILES else word for word in words]
    targets = [] if words[0][0] != "-" or words[0] == "--resources" else ["--", "33m"]
    said = snakemake("-n", "--cores", "1", *words, *targets, cwd=REPOSITORY).stdout
    said = re.sub(r"^Using workflow specific profile.*\n", "", said)
    for pattern in (
        r'\w+(?:Error|Exception) in file "[^"]*"(?:, line \d+)?:\n(.*?)(?:\n  File |\Z)',
        r"\w+(?:Error|Exception):\n(.*?)(?:\n  File |\Z)",
        r"\n(\w+Error: .*)\Z",  # Snakemake's own, before it reads the Snakefile
    ):
        if found := re.search(pattern, said, re.S):
            return re.split(r"\s+Wildcards:", found[1])[0]
    return said


def judged(key, plan=(), **changes):
    """Ask a judge on loopback about one completion."""
    with JudgeServer("the-key") as server, tempfile.TemporaryDirectory() as folder:
        server.plan = list(plan)
        entry = settings.resolve(CONFIG, SCHEMA)["judges"]["gpt35"]
        asked = judge.Judge(**entry | {"base_url": server.url, "max_retries": 0, **changes})
        stories = [{"beginning": "Tom", "completions": [{"text": "Tom ran."}]}]
        os.environ["OPENAI_API_KEY"] = key
        try:
            with Replies(Path(folder, "replies")) as kept:
                judge.grade(asked, stories, kept)
        finally:
            del os.environ["OPENAI_API_KEY"]


def make(folder):
    """`make` with a Python that is too old."""
    old = folder / "python3"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    (folder / "Makefile").write_text((REPOSITORY / "Makefile").read_text())
    (folder / "envs").mkdir()
    (folder / "envs/requirements.txt").write_text("")
    result = subprocess.run(
        ["make", f"PYTHON={old}", "install"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
    )
    raise UserError(result.stdout)


def crowded(folder):
    """A job that wants more GPUs than CUDA_VISIBLE_DEVICES allows, by an nvidia-smi of our own."""
    (folder / "nvidia-smi").write_text('#!/bin/sh\necho "GPU 0: Any (UUID: GPU-0aaa)"\n')
    (folder / "nvidia-smi").chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
    try:
        gpus.take(2, folder / "locks")
    finally:
        os.environ["PATH"] = before


def foreign(folder):
    (folder / "locks").symlink_to(folder)
    gpus._open(folder / "locks", "x")


NO_ROOM = OSError(28, "No space left on device")
# The environment: what it is, and what meets it.
ENVIRONMENT = [
    ("Python 3.9 for `make`", make),
    ("`OPENAI_API_KEY` with a space in it", lambda folder: judged("two words")),
    ("`OPENAI_API_KEY` unset, for a judge that wants one", lambda folder: judged("")),
    ("`OPENAI_API_KEY` wrong", lambda folder: judged("another")),
    ("an account without credit", lambda folder: judged("the-key", [(429, {}, error("Out.", "insufficient_quota"))])),
    ("a judge that fails", lambda folder: judged("the-key", [(503, {}, error("busy"))])),
    ("a judge that knows no such model", lambda folder: judged("the-key", [(404, {}, error("no such model"))])),
    ("a budget that is too small", lambda folder: judged("the-key", budget=0.0)),
    ("`CUDA_VISIBLE_DEVICES=7` with two GPUs", lambda folder: gpus.allowed(KNOWN, "7")),
    ("`CUDA_VISIBLE_DEVICES=GPU-` with two GPUs", lambda folder: gpus.allowed(KNOWN, "GPU-")),
    ("`gpu: 2` with one GPU", crowded),
    ("a folder of GPU locks that is somebody else's", foreign),
    ("a file in place of a folder", lambda folder: write_json(folder / "file/a.json", {})),
]  # fmt: skip


def message(case, folder: Path) -> str:
    """What a user is told, in one line and without this machine's paths."""
    _, what, give = case
    (folder / "file").write_text("")
    try:
        said = give(folder)
    except UserError as error_:
        said = str(error_)
    assert isinstance(said, str), f"{what}: nothing was refused"
    for path, name in ((folder, ""), (REPOSITORY, "")):
        said = said.replace(f"{path}/", name).replace(str(path), ".")
    said = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", said)
    return " ".join(said.split())


def file_case(name, content, read):
    def give(folder):
        path = folder / name
        path.write_bytes(content(path) if callable(content) else content)
        read(path)

    shown = "made by a program" if callable(content) else repr(content)[2:-1] or "nothing"
    return "Files", f"`{name}`: `{shown}`", give


def shown_value(value):
    return (
        yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    )


CASES = [
    *(
        ("Configuration", f"`{key}: {shown_value(value)}`",
         lambda folder, key=key, value=value: configured(key, value))
        for key, value in CONFIGURATION
    ),
    *(file_case(*entry) for entry in FILES),
    *(
        ("Command line", f"`snakemake {' '.join(words)}`", lambda folder, words=words: command(folder, words))
        for words in COMMANDS
    ),
    *(("Environment", what, give) for what, give in ENVIRONMENT),
]  # fmt: skip

INTRODUCTION = """# Bad input, and what is said of it

Every line is tried by `tests/faults/test_bad_input_table.py`, which fails where a message is no longer the one below;
`python tests/faults/bad_inputs.py` writes this file anew. What Snakemake itself refuses before it reads the workflow is in its
words: a configuration file that is not there or no YAML, and a target that stands behind `--resources`, which takes every word
after it (write the target first). Damaged artifacts and full disks: [faults.md](faults.md).
"""


def row(what, said):
    """A line of the table."""
    return f"| {escaped(what)} | {escaped(said)} |"


def escaped(text):
    return html.escape(text, quote=False).replace("&amp;", "&").replace("|", "\\|")


def main():
    """Write the table."""
    os.environ.pop(gpus.VISIBLE, None)
    lines, group = [INTRODUCTION], None
    for case in CASES:
        if case[0] != group:
            group = case[0]
            lines.append(f"\n## {group}\n| input | message |\n|---|---|")
        with tempfile.TemporaryDirectory() as folder:
            lines.append(row(case[1], message(case, Path(folder))))
    write_text(DOCS, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
