"""Tokenise stories, and pack tokenised stories into the sequences of `gen0`."""

import itertools
import math

import numpy as np
import pyarrow as pa

from ouroboros.data.corpus import ROW_GROUP, ShardWriter, token_type, token_type_of
from ouroboros.data.sources import read_stories
from ouroboros.data.tokenizer import encode_texts, vocabulary_size
from ouroboros.errors import UserError
from ouroboros.jobs.progress import Progress
from ouroboros.storage.parquet import new_parquet, read_parquet


def tokenise(stories_path, tokenizer, path) -> dict:
    """Tokenise a split to parquet, one row per story (column `input_ids`).

    Returns the number of `stories` and `tokens`; where the source knows the probabilities of its
    stories, also `entropy_per_token` (nats) and its exponential `floor`: the perplexity of the true
    distribution on these stories, below which a model gets only by chance.
    """
    count, tokens, log_probability = 0, 0, 0.0
    ids_type = pa.list_(pa.from_numpy_dtype(token_type(vocabulary_size(tokenizer))))
    schema = pa.schema([("input_ids", ids_type)])
    stories = read_parquet(stories_path).metadata.num_rows
    progress = Progress(f"tokenise {stories_path}", stories, "stories")
    with new_parquet(path, schema) as writer:
        for texts, logs in read_stories(stories_path):
            ids = [encoding.ids for encoding in encode_texts(tokenizer, texts)]
            writer.write_batch(pa.record_batch([pa.array(ids, ids_type)], schema=schema))
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
    """The stories of a tokenised split: an array of token ids each."""
    column = read_parquet(path).read()["input_ids"].combine_chunks()
    flat, ends = column.flatten().to_numpy(), column.offsets.to_numpy()
    return [flat[a:b] for a, b in itertools.pairwise(ends)]


def pack(stories_path, end_of_text: int, length: int, path) -> int:
    """Cut the stream of stories, each followed by end-of-text, into sequences of `length` tokens.

    The `previous_id` of a sequence is the token before it in the stream; before the first, it is
    end-of-text. The end of the stream that fills no sequence is dropped. Returns the number of
    sequences; UserError where the stream is shorter than one.
    """
    stories = read_parquet(stories_path)
    dtype = token_type_of(stories.schema_arrow)
    written = 0
    rest, previous = np.empty(0, dtype), end_of_text
    with ShardWriter(path, length, dtype) as shard:
        for batch in stories.iter_batches(batch_size=ROW_GROUP):
            stream = np.concatenate([rest, _stream(batch["input_ids"], end_of_text)])
            count = len(stream) // length
            rows, rest = stream[: count * length].reshape(-1, length), stream[count * length :]
            if count:
                shard.add(rows, np.concatenate([[previous], rows[:-1, -1]]).astype(dtype))
                previous = rows[-1, -1]
            written += count
        if not written:
            raise UserError(
                f"{stories_path} holds {len(rest)} tokens, fewer than one sequence of {length}. "
                "Give the corpus more text, or lower `sequence_length` of the sampling settings."
            )
    return written


def _stream(column, end_of_text):
    """The stories of a list column as one array, with end-of-text after each."""
    flat, offsets = column.flatten().to_numpy(), column.offsets.to_numpy()
    return np.insert(flat, offsets[1:] - offsets[0], end_of_text)
