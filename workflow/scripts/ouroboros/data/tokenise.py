"""From stories to tokens, and from stories of tokens to the sequences of `gen0`."""

import itertools
import math

import numpy as np
import pyarrow as pa

from ouroboros.data.corpus import ROW_GROUP, TOKEN, ShardWriter
from ouroboros.data.sources import read_stories
from ouroboros.errors import UserError
from ouroboros.jobs.progress import Progress
from ouroboros.storage.parquet import new_parquet, read_parquet

COLUMN = pa.list_(pa.uint16())


def tokenise(stories_path, tokenizer, path) -> dict:
    """Tokenise a split to parquet, one row per story (column `input_ids`).

    Returns counts of stories and tokens; where the source knows its stories' probabilities, also
    `entropy_per_token` (nats) and `floor`, its exponential: what the perplexity of the true
    distribution on these very stories is, below which no model gets but by chance.
    """
    count, tokens, log_probability = 0, 0, 0.0
    schema = pa.schema([("input_ids", COLUMN)])
    stories = read_parquet(stories_path).metadata.num_rows
    progress = Progress(f"tokenise {stories_path}", stories, "stories")
    with new_parquet(path, schema) as writer:
        for texts, logs in read_stories(stories_path):
            # Text is text: a story that spells out a special token must not become that token.
            ids = [encoding.ids for encoding in _encode(tokenizer, texts)]
            writer.write_batch(pa.record_batch([pa.array(ids, COLUMN)], schema=schema))
            count += len(ids)
            tokens += sum(map(len, ids))
            log_probability += math.fsum(math.nan if log is None else log for log in logs)
            progress.add(len(ids))
    progress.close()
    result = {"stories": count, "tokens": tokens}
    if not math.isnan(log_probability):
        entropy = -log_probability / tokens
        result |= {"entropy_per_token": entropy, "floor": math.exp(entropy)}
    return result


def read_token_stories(path) -> list[np.ndarray]:
    """The stories of a tokenised split: uint16 arrays."""
    column = read_parquet(path).read()["input_ids"].combine_chunks()
    flat, ends = column.flatten().to_numpy(), column.offsets.to_numpy()
    return [flat[a:b] for a, b in itertools.pairwise(ends)]


def pack(stories_path, end_of_text: int, length: int, path) -> int:
    """Cut the stream of stories, each followed by end-of-text, into sequences of `length` tokens.

    Every sequence's `previous_id` is the token before it in the stream (end-of-text before the
    first). The rest of the stream that fills no sequence is left out. Returns the sequences
    written; UserError where the stream is shorter than one.
    """
    written = 0
    rest, previous = np.empty(0, TOKEN), end_of_text
    with ShardWriter(path, length) as shard:
        for batch in read_parquet(stories_path).iter_batches(batch_size=ROW_GROUP):
            stream = np.concatenate([rest, _stream(batch["input_ids"], end_of_text)])
            count = len(stream) // length
            rows, rest = stream[: count * length].reshape(-1, length), stream[count * length :]
            if count:
                shard.add(rows, np.concatenate([[previous], rows[:-1, -1]]).astype(TOKEN))
                previous = rows[-1, -1]
            written += count
        if not written:
            raise UserError(
                f"{stories_path} holds {len(rest)} tokens, fewer than one sequence of {length}. "
                "Give the corpus more text, or lower `sequence_length` of the sampling settings."
            )
    return written


def _encode(tokenizer, texts):
    tokenizer.encode_special_tokens = True
    return tokenizer.encode_batch_fast(texts, add_special_tokens=False)


def _stream(column, end_of_text):
    """The stories of a list column one behind the other, end-of-text behind each."""
    flat, offsets = column.flatten().to_numpy(), column.offsets.to_numpy()
    return np.insert(flat, offsets[1:] - offsets[0], np.asarray(end_of_text, TOKEN))
