"""How large corpora and tasks are, counted where they are there and assumed where they are not."""

STORY = 200  # tokens of a story, about (TinyStories: 199 of GPT-2's)
GRAMMAR_STORY = 216  # of the embedded grammar, in tokens of a BPE of 1,024
BYTES_PER_TOKEN = 4  # of English text (TinyStories: 4.06)
TINYSTORIES = {"stories": 2_119_719, "validation_stories": 21_990}
BEYOND = 0.005  # share of tokens behind the first 512 of their story: 0.009 in TinyStories' first
# 4,948 stories, 0.003 in its first validation stories

# kind -> examples to learn from, to validate on (paper 5.4's splits), and mean tokens of one, up to
# 128, counted on 2,000 to 67,349 of each
TASKS = {
    "imdb": (25_000, 25_000, 123),
    "sst2": (67_349, 872, 12),
    "yelp": (650_000, 50_000, 87),
    "qqp": (363_846, 40_430, 27),
    "qnli": (104_743, 5_463, 48),
    "mrpc": (3_668, 408, 50),
    "rte": (2_490, 277, 64),
    "cola": (8_551, 1_043, 9),
}


def corpus_size(name: str, settings: dict, given: dict, counts: dict | None, size: int):
    """Stories and tokens of a corpus's splits, and a sentence on what was assumed, or None.

    `settings`: its resolved entry. `given`: what the configuration says of its size. `counts`: its
    tokens.json where that is there. `size`: bytes of its files. Returns {split: {"stories",
    "tokens"}} and the sentence.
    """
    if counts:
        return {split: counts[split] for split in ("train", "heldout", "validation")}, None
    each, said = given.get("tokens_per_story"), []
    stories, validation = given.get("stories"), given.get("validation_stories")
    if settings["source"] == "grammar":
        stories, validation = settings["stories"], settings["validation_stories"]
        each = each or GRAMMAR_STORY
    elif settings["source"] == "files" and not stories:
        stories = max(2, size // (BYTES_PER_TOKEN * (each or STORY)))
        share = settings["validation_share"]
        validation = validation or max(1, int(stories * share))
        said.append(f"its files of {size:,} bytes hold {stories:,} stories")
    elif not stories:
        stories = TINYSTORIES["stories"]
        said.append(f"{stories:,} stories, as many as TinyStories has")
    if not each:
        each = STORY
        said.append(f"{each} tokens each")
    validation = validation or max(1, min(stories // 20, TINYSTORIES["validation_stories"]))
    held_out = max(1, int(stories * settings["held_out"]))
    split = {"train": stories - held_out, "heldout": held_out, "validation": validation}
    note = f"corpus {name}: {', '.join(said)}" if said else None
    return {key: {"stories": n, "tokens": n * each} for key, n in split.items()}, note


def task_size(name: str, settings: dict, given: dict, examples: dict | None):
    """Examples to learn from and to validate on, tokens of one, and a sentence or None.

    `examples`: how many lines the task's own files have, split -> number, where they are there.
    """
    train, validation, tokens = TASKS[settings["kind"]]
    counted = {**(examples or {}), **given}
    train, validation = counted.get("train", train), counted.get("validation", validation)
    note = None if counted else f"task {name}: {train:,} + {validation:,} examples, the paper's"
    return train, validation, given.get("tokens", tokens), note
