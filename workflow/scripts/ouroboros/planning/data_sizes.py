"""Sizes of corpora and tasks: counted where they are there, else assumed."""

from typing import NamedTuple

STORY = 200  # tokens of a story, about (TinyStories: 199 of GPT-2's)
GRAMMAR_STORY = 216  # of the embedded grammar, in tokens of a BPE of 1,024
BYTES_PER_TOKEN = 4  # of English text (TinyStories: 4.06)
TINYSTORIES = {"stories": 2_119_719, "validation_stories": 21_990}
# Share of tokens after the first 512 of their story: 0.009 in TinyStories' first 4,948 stories,
# 0.003 in its first validation stories.
BEYOND_CONTEXT = 0.005


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


def corpus_size(
    name: str, settings: dict, given: dict, counts: dict | None, size: int
) -> tuple[dict, list[str]]:
    """Stories and tokens of a corpus, split -> {"stories", "tokens"}, and a note if any was assumed.

    `settings`: its resolved entry. `given`: its size in the configuration. `counts`: its tokens.json
    if that is there. `size`: bytes of its files.
    """
    if counts:
        return {split: counts[split] for split in ("train", "heldout", "validation")}, []
    each, assumed = given.get("tokens_per_story"), []
    stories, validation = given.get("stories"), given.get("validation_stories")
    if settings["source"] == "grammar":
        stories, validation = settings["stories"], settings["validation_stories"]
        each = each or GRAMMAR_STORY
    elif settings["source"] == "files" and not stories:
        stories = max(2, size // (BYTES_PER_TOKEN * (each or STORY)))
        share = settings["validation_share"]
        validation = validation or max(1, int(stories * share))
        assumed.append(f"its files of {size:,} bytes hold {stories:,} stories")
    elif not stories:
        stories = TINYSTORIES["stories"]
        assumed.append(f"{stories:,} stories, as many as TinyStories has")
    if not each:
        each = STORY
        assumed.append(f"{each} tokens each")
    validation = validation or max(1, min(stories // 20, TINYSTORIES["validation_stories"]))
    held_out = max(1, int(stories * settings["held_out"]))
    split = {"train": stories - held_out, "heldout": held_out, "validation": validation}
    notes = [f"assumed: corpus {name}: {', '.join(assumed)}"] if assumed else []
    return {key: {"stories": n, "tokens": n * each} for key, n in split.items()}, notes


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
