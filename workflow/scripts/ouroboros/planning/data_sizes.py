"""Sizes of corpora and tasks: counted where they are there, else assumed."""

import math
from pathlib import Path
from typing import NamedTuple

STORY = 800  # bytes of a story, about (TinyStories: 807)
GRAMMAR_STORY = 691  # of the embedded grammar
# Bytes of a token by the tokenizer's vocabulary. TinyStories: 2.41, 3.18, 3.69, 3.99, 4.11, and 4.06 of
# GPT-2's; the grammar: 2.27, 3.12, 3.88, 4.19, 4.19, and 4.01.
BYTES_PER_TOKEN = {512: 2.4, 1024: 3.2, 2048: 3.7, 4096: 4.0}
GPT2 = 50_257  # tokens of its vocabulary
TINYSTORIES = {"stories": 2_119_719, "validation_stories": 21_990}


class TaskSize(NamedTuple):
    """Numbers of examples, and tokens of one."""

    train: int
    validation: int
    tokens: int


# kind -> the paper's splits (5.4), and mean tokens of an example cut at 128, counted on 2,000 to
# 67,349 of each
TASKS = {
    "imdb": TaskSize(25_000, 25_000, 123),
    "sst2": TaskSize(67_349, 872, 12),
    "yelp": TaskSize(650_000, 50_000, 87),
    "qqp": TaskSize(363_846, 40_430, 27),
    "qnli": TaskSize(104_743, 5_463, 48),
    "mrpc": TaskSize(3_668, 408, 50),
    "rte": TaskSize(2_490, 277, 64),
    "cola": TaskSize(8_551, 1_043, 9),
}


def vocabulary_size(tokenizer: dict) -> int:
    """The tokens of a resolved entry of `tokenizers`; one of the hub is taken for GPT-2's."""
    return tokenizer.get("vocabulary_size", GPT2)


def bytes_per_token(tokenizer: dict) -> float:
    """Bytes of English text per token, between two known vocabularies by the logarithm of their sizes."""
    size, sizes = vocabulary_size(tokenizer), [*BYTES_PER_TOKEN]
    if size >= sizes[-1]:
        return BYTES_PER_TOKEN[sizes[-1]]
    low = max((known for known in sizes if known <= size), default=sizes[0])
    share = max(0.0, math.log2(size / low))
    return BYTES_PER_TOKEN[low] + share * (BYTES_PER_TOKEN[2 * low] - BYTES_PER_TOKEN[low])


def share_beyond(context: int, story: float) -> float:
    """The share of tokens after the first `context` of their story; `story`: its mean length in tokens.

    Of TinyStories, 0.137 beyond one mean length, 0.058 beyond 1.5, 0.027 beyond 2, 0.0044 beyond 3.
    """
    lengths = context / story
    return 1 - 0.863 * lengths if lengths < 1 else 0.137 * math.exp(-1.7 * (lengths - 1))


def corpus_size(
    name: str, settings: dict, given: dict, counts: dict | None, size: dict, tokenizer: dict
) -> tuple[dict, list[str]]:
    """Stories and tokens of a corpus, split -> {"stories", "tokens"}, and a note if any was assumed.

    `settings` and `tokenizer`: resolved entries. `given`: its size in the configuration. `counts`: its
    tokens.json if that is there. `size`: bytes of its `files` and `validation_files`.
    """
    if counts:
        return {split: counts[split] for split in ("train", "heldout", "validation")}, []
    each, assumed = given.get("tokens_per_story"), []
    stories, validation = given.get("stories"), given.get("validation_stories")
    if settings["source"] == "grammar":
        stories, validation = settings["stories"], settings["validation_stories"]
        each = each or GRAMMAR_STORY / bytes_per_token(tokenizer)
    elif settings["source"] == "files" and not stories:
        story = each * bytes_per_token(tokenizer) if each else STORY
        stories = max(2, int(size["files"] / story))
        assumed.append(f"its files of {size['files']:,} bytes hold {stories:,} stories")
        if apart := size.get("validation_files"):
            validation = validation or max(1, int(apart / story))
        else:
            validation = validation or max(1, int(stories * settings["validation_share"]))
            stories -= validation
    elif not stories:
        stories = TINYSTORIES["stories"]
        assumed.append(f"{stories:,} stories, as many as TinyStories has")
    if not each:
        each = STORY / bytes_per_token(tokenizer)
        assumed.append(f"{each:.0f} tokens each")
    validation = validation or max(1, min(stories // 20, TINYSTORIES["validation_stories"]))
    validation = min(validation, settings.get("validation_stories", validation))
    held_out = max(1, int(stories * settings["held_out"]))
    split = {"train": stories - held_out, "heldout": held_out, "validation": validation}
    notes = [f"assumed: corpus {name}: {', '.join(assumed)}"] if assumed else []
    return {key: {"stories": n, "tokens": round(n * each)} for key, n in split.items()}, notes


def task_size(
    name: str, settings: dict, given: dict, examples: dict | None
) -> tuple[TaskSize, list[str]]:
    """The size of a task, and a note if it was assumed.

    `given`: its size in the configuration. `examples`: split -> lines of its own files, if they are
    there.
    """
    known = {**(examples or {}), **given}
    size = TASKS[settings["kind"]]._replace(**known)
    if known:
        return size, []
    note = f"assumed: task {name}: {size.train:,} + {size.validation:,} examples, the paper's"
    return size, [note]


def count_examples(files: dict[str, list[str]], most_bytes: float = math.inf) -> dict[str, int]:
    """Lines of a task's files by split; none unless all are .jsonl or .tsv, of `most_bytes` together."""
    paths = [Path(path) for of_split in files.values() for path in of_split]
    if not all(path.suffix in (".jsonl", ".tsv") for path in paths):
        return {}
    if sum(path.stat().st_size for path in paths) > most_bytes:
        return {}
    return {
        split: sum(1 for path in of_split for line in Path(path).open("rb") if line.strip())
        for split, of_split in files.items()
    }
