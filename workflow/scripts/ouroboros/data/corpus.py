"""A corpus of token sequences: parquet shards on disk, an array in memory.

A shard has two columns: `input_ids`, the tokens of a sequence, all sequences equally long, and
`previous_id`, the token before the sequence. In sampled corpora that is the end-of-text token, the
empty context; in `gen0`, the token before the sequence in the stream of stories. So every token has
a context, and training predicts each token exactly once.

Token ids take 16 bits where the vocabulary allows it, else 32; a reader takes the type from the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ouroboros.errors import DamagedArtifact
from ouroboros.storage.parquet import new_parquet, read_parquet

ROW_GROUP = 16_384  # sequences per row group: about 20 MB at 600 tokens of 16 bits


def token_type(vocabulary_size: int) -> np.dtype:
    """The type of token ids: uint16 for vocabularies of up to 65,536 tokens, else uint32."""
    return np.dtype(np.uint16 if vocabulary_size <= 1 << 16 else np.uint32)


def token_type_of(schema: pa.Schema) -> np.dtype:
    """The type of the token ids in the column `input_ids` of a file with this schema."""
    return np.dtype(schema.field("input_ids").type.value_type.to_pandas_dtype())


@dataclass(frozen=True)
class Corpus:
    """Sequences: `tokens` (sequences, length) and `previous` (sequences,), of a token type.

    Training reads rows of `tokens` alone, which may lie in a file (recipe.StoredRows).
    """

    tokens: np.ndarray
    previous: np.ndarray

    def __len__(self):
        return len(self.tokens)


def row_groups(paths) -> Iterator[Corpus]:
    """Yield the sequences of shards in order, a row group at a time."""
    for path in paths:
        for tokens, previous in _read_row_groups(path, read_parquet(path)):
            yield Corpus(tokens, previous)


class ShardWriter:
    """Write one shard of token ids of type `dtype`: a context manager; call `add` in order."""

    def __init__(self, path, length: int, dtype: np.dtype):
        self.dtype, ids = np.dtype(dtype), pa.from_numpy_dtype(dtype)
        self.schema = pa.schema([("previous_id", ids), ("input_ids", pa.list_(ids, length))])
        self.place = new_parquet(path, self.schema, compression="zstd", write_statistics=False)
        self.waiting = []

    def __enter__(self):
        self.writer = self.place.__enter__()
        return self

    def add(self, tokens: np.ndarray, previous):
        """Append sequences: `tokens` (rows, length), `previous` (rows,) or one id for all rows."""
        tokens = tokens.astype(self.dtype, casting="safe", copy=False)
        previous = np.broadcast_to(np.asarray(previous, self.dtype), len(tokens))
        # Row groups are full whatever the sizes handed in, so that equal tokens give equal files.
        for start in range(0, len(tokens), ROW_GROUP):
            part = slice(start, start + ROW_GROUP)
            self.waiting.append(Corpus(tokens[part], previous[part]))
            if sum(map(len, self.waiting)) >= ROW_GROUP:
                self._write()

    def _write(self):
        """Write a row group of the waiting sequences; those beyond its size keep waiting."""
        tokens = np.concatenate([corpus.tokens for corpus in self.waiting])
        previous = np.concatenate([corpus.previous for corpus in self.waiting])
        self.waiting = [Corpus(tokens[ROW_GROUP:], previous[ROW_GROUP:])]
        flat = pa.array(np.ascontiguousarray(tokens[:ROW_GROUP]).reshape(-1))
        rows = pa.FixedSizeListArray.from_arrays(flat, type=self.schema.field("input_ids").type)
        columns = [pa.array(previous[:ROW_GROUP]), rows]
        self.writer.write_batch(pa.record_batch(columns, schema=self.schema))

    def __exit__(self, *error):
        # This last write can fail like any before it.
        try:
            if not any(error) and sum(map(len, self.waiting)):
                self._write()
        except BaseException as failure:
            error = (type(failure), failure, failure.__traceback__)
            if not self.place.__exit__(*error):
                raise
        else:
            return self.place.__exit__(*error)


def _read_row_groups(path, file):
    for group in range(file.metadata.num_row_groups):
        try:
            table = file.read_row_group(group)
        except (pa.ArrowException, OSError) as error:
            raise DamagedArtifact(path, str(error)) from error
        ids = table["input_ids"].combine_chunks()
        length = ids.type.list_size
        yield ids.flatten().to_numpy().reshape(-1, length), table["previous_id"].to_numpy()
