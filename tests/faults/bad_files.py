"""Files that are not what their reader needs: a file's name, what is in it, and who reads it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
from tools import read_shards

from ouroboros.data import sources, tokenizer
from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.tokenise import pack
from ouroboros.metrics.classification import tasks
from ouroboros.metrics.gpt_eval import prompts
from ouroboros.metrics.gpt_eval.reply_log import Replies
from ouroboros.model.initial_model import read_initial_model
from ouroboros.storage.atomic import read_json
from ouroboros.storage.checksums import verify_checksums
from ouroboros.storage.parquet import write_parquet


def corpus(path):
    """A corpus of one file, with the settings that the schema fills in."""
    defaults = {"validation_files": [], "validation_share": 0.1, "column": "text",
                "separator": "<|endoftext|>", "held_out": 0.05}  # fmt: skip
    outputs = {split: path.with_name(split) for split in sources.SPLITS}
    sources.write_splits({"source": "files", "files": [str(path)], **defaults}, outputs)


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


def tokens(path, stories):
    write_parquet(path, pa.table({"input_ids": pa.array(stories, pa.list_(pa.uint16()))}))
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


def initial_model(path):
    read_initial_model(str(path.parent), {}, None, 0)


def sequences(path):
    pack(path, 0, 600, path.with_name("sequences.parquet"))


def replies(path):
    with Replies(path):
        pass


TSV = "sentence1\tsentence2\tlabel\n"
GRAMMAR = "lists: {}\nsymbols: {}\n"
FILES = [
    ("empty.txt", b"", corpus),
    ("latin1.txt", b"caf\xe9 and more", corpus),
    ("one.txt", b"One story.", corpus),
    ("story.pdf", b"x", corpus),
    ("broken.jsonl", b'{"text": "a"}\n{"text": ', corpus),
    ("other.jsonl", b'{"story": "a"}', corpus),
    ("number.jsonl", b'{"text": 7}', corpus),
    ("twice.jsonl", b'{"text": "a", "text": "b"}', corpus),
    ("surrogate.jsonl", b'{"text": "a \\ud83d"}', corpus),
    ("list.jsonl", b'["a"]', corpus),
    ("text.parquet", b"text", corpus),
    ("column.parquet", lambda path: parquet(path, story=["a"]), corpus),
    ("bytes.parquet", lambda path: parquet(path, text=[b"a"]), corpus),
    ("short.jsonl", b'{"sentence1": "a", "label": 1}', task),
    ("label.jsonl", two(2).encode(), task),
    ("bool.jsonl", two(True).encode(), task),
    ("text.jsonl", two("yes").encode(), task),
    ("empty.jsonl", b"", task),
    ("task.csv", b"", task),
    ("columns.tsv", (TSV + "a\tb\n").encode(), task),
    ("twice.tsv", b"sentence1\tsentence2\tlabel\tlabel\na\tb\t0\t1\n", task),
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
    ("config.json", b"{}", initial_model),
    ("config.json", b'{"model_type": "t5"}', initial_model),
    ("config.json", b'{"model_type": "mine", "auto_map": {"AutoConfig": "own.C"}}', initial_model),
    ("config.json", b'{"model_type": "gpt2"}', initial_model),
    ("train.parquet", lambda path: tokens(path, [[1, 2, 3]]), sequences),
    ("epochs.json", b'{"epochs": ', read_json),
    ("shard-00000.parquet", b"PAR1", lambda path: read_shards([path])),
    ("SHA256SUMS", b"00  model.safetensors\n", lambda path: verify_checksums(path.parent)),
    ("replies.jsonl", b'{"key": "a"}\n', replies),
]


def file_case(name, content, read):
    def give(folder):
        path = folder / name
        path.write_bytes(content(path) if callable(content) else content)
        read(path)

    shown = "made by a program" if callable(content) else repr(content)[2:-1] or "nothing"
    return f"`{name}`: `{shown}`", give


CASES = [file_case(*entry) for entry in FILES]
