"""A corpus of token sequences on disk (parquet shards) and in memory (one uint16 array).

A shard has two columns: `input_ids`, the sequence's tokens, all sequences equally long, and
`previous_id`, the token before the sequence: the end-of-text token, which stands for the empty
context, where a sequence was sampled; the token before it in the stream of stories in `gen0`.
So every token of a sequence has a context, and training predicts each exactly once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.storage.parquet import new_parquet, read_parquet

TOKEN = np.uint16
MOST_TOKENS = np.iinfo(TOKEN).max + 1  # the largest vocabulary whose ids fit
ROW_GROUP = 16_384  # sequences per row group: about 20 MB at 600 tokens


@dataclass(frozen=True)
class Corpus:
    """Sequences in memory: `tokens` uint16 (sequences, length), `previous` uint16 (sequences,)."""

    tokens: np.ndarray
    previous: np.ndarray

    def __len__(self):
        return len(self.tokens)

    @classmethod
    def read(cls, paths) -> "Corpus":
        """Read shards one behind the other, each straight into its place (uint16, once)."""
        files = [read_parquet(path) for path in paths]
        count = sum(file.metadata.num_rows for file in files)
        corpus = None
        start = 0
        for path, file in zip(paths, files, strict=True):
            for tokens, previous in _groups(path, file):
                if corpus is None:
                    corpus = cls(np.empty((count, tokens.shape[1]), TOKEN), np.empty(count, TOKEN))
                if tokens.shape[1] != corpus.tokens.shape[1]:
                    raise UserError(
                        f"{path} holds sequences of {tokens.shape[1]} tokens, the shards before it "
                        f"of {corpus.tokens.shape[1]}. Remake the corpus in one run."
                    )
                corpus.tokens[start : start + len(tokens)] = tokens
                corpus.previous[start : start + len(tokens)] = previous
                start += len(tokens)
        if corpus is None:
            raise UserError(f"The corpus {', '.join(map(str, paths))} holds no sequences.")
        return corpus


def blocks(paths) -> Iterator[Corpus]:
    """The sequences of shards in order, a row group at a time."""
    for path in paths:
        for tokens, previous in _groups(path, read_parquet(path)):
            yield Corpus(tokens, previous)


class ShardWriter:
    """Writes one shard; use as a context manager and call `add` with sequences in order."""

    def __init__(self, path, length: int):
        self.schema = pa.schema(
            [("previous_id", pa.uint16()), ("input_ids", pa.list_(pa.uint16(), length))]
        )
        self.place = new_parquet(path, self.schema, compression="zstd", write_statistics=False)
        self.waiting = []

    def __enter__(self):
        self.writer = self.place.__enter__()
        return self

    def add(self, tokens: np.ndarray, previous):
        """Append sequences: `tokens` uint16 (rows, length), `previous` uint16 (rows,) or one id."""
        previous = np.broadcast_to(np.asarray(previous, TOKEN), len(tokens))
        # Row groups are filled whatever the sizes handed in, so that those leave no trace in the file.
        for start in range(0, len(tokens), ROW_GROUP):
            part = slice(start, start + ROW_GROUP)
            self.waiting.append(Corpus(tokens[part], previous[part]))
            if sum(map(len, self.waiting)) >= ROW_GROUP:
                self._write()

    def _write(self):
        """Write the sequences that wait as a row group; what it has no room for goes on waiting."""
        tokens = np.concatenate([corpus.tokens for corpus in self.waiting])
        previous = np.concatenate([corpus.previous for corpus in self.waiting])
        self.waiting = [Corpus(tokens[ROW_GROUP:], previous[ROW_GROUP:])]
        flat = pa.array(np.ascontiguousarray(tokens[:ROW_GROUP], TOKEN).reshape(-1))
        rows = pa.FixedSizeListArray.from_arrays(flat, type=self.schema.field("input_ids").type)
        columns = [pa.array(previous[:ROW_GROUP]), rows]
        self.writer.write_batch(pa.record_batch(columns, schema=self.schema))

    def __exit__(self, *error):
        # Writing what waits can fail like any write before it.
        try:
            if not any(error) and sum(map(len, self.waiting)):
                self._write()
        except BaseException as failure:
            error = (type(failure), failure, failure.__traceback__)
            if not self.place.__exit__(*error):
                raise
        else:
            return self.place.__exit__(*error)


def _groups(path, file):
    for group in range(file.metadata.num_row_groups):
        try:
            table = file.read_row_group(group)
        except (pa.ArrowException, OSError) as error:
            raise DamagedArtifact(path, str(error)) from error
        ids = table["input_ids"].combine_chunks()
        length = ids.type.list_size
        yield ids.flatten().to_numpy().reshape(-1, length), table["previous_id"].to_numpy()
