"""Speed of this machine's CPU work, which no model decides: starts of jobs, stories, tokens, statistics."""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from ouroboros.data.corpus import row_groups
from ouroboros.data.grammar import StoryGrammar
from ouroboros.data.tokenise import pack
from ouroboros.data.tokenizer import make_tokenizer, vocabulary_size
from ouroboros.metrics.text.divergence import drift
from ouroboros.metrics.text.statistics import text_statistics
from ouroboros.storage.parquet import write_parquet

STORIES = 2000
LENGTH = 256
LIBRARY = Path(__file__).parents[2]
# Modules that a script imports before it does anything, by kind of script.
IMPORTS = {
    "torch": "ouroboros.training.trainer",
    "figures": "matplotlib.pyplot, seaborn",
    "light": "ouroboros.metrics.text.statistics",
}


def measure_machine_speed(grammar_file) -> dict:
    """Measure the start of jobs and the rates of CPU work.

    Returns `start` (seconds by kind of imports), `stories_per_second` (made by the grammar), and
    `tokenise_tokens_per_second` and `text_tokens_per_second` (of text statistics).
    """
    grammar, seconds = StoryGrammar.from_file(grammar_file), {}
    began = time.perf_counter()
    texts = [grammar.story(0, index).text for index in range(STORIES)]
    seconds["stories"] = time.perf_counter() - began
    tokenizer, end_of_text = make_tokenizer({"source": "gpt2"}, ())
    began = time.perf_counter()
    ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]
    tokens = sum(map(len, ids))
    seconds["tokenise"] = time.perf_counter() - began
    with TemporaryDirectory() as folder:
        stories, shard = Path(folder, "stories.parquet"), Path(folder, "shard.parquet")
        write_parquet(stories, pa.table({"input_ids": pa.array(ids, pa.list_(pa.uint16()))}))
        end = tokenizer.token_to_id(end_of_text)
        pack(stories, end, LENGTH, shard)
        began = time.perf_counter()
        text_statistics(row_groups([shard]), tokenizer, end, [], STORIES)
        drift(
            lambda: row_groups([shard]),
            lambda: row_groups([shard]),
            STORIES,
            vocabulary_size(tokenizer),
        )
        seconds["text"] = time.perf_counter() - began
    return {
        "start": {kind: _import_seconds(modules) for kind, modules in IMPORTS.items()},
        "stories_per_second": STORIES / seconds["stories"],
        "tokenise_tokens_per_second": tokens / seconds["tokenise"],
        "text_tokens_per_second": tokens / seconds["text"],
    }


def _import_seconds(modules):
    """Seconds of a Python process that imports `modules` and ends."""
    began = time.perf_counter()
    code = f"import sys; sys.path.insert(0, {str(LIBRARY)!r}); import {modules}"
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began
