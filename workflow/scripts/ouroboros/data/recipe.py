"""Recipes: which sequences of which corpora a generation trains on.

A recipe is a parquet file with a line per sequence, `source` (the generation whose corpus it is from; 0 is
the initial corpus, -1 the real text beyond it) and `row` (its number there), sorted by both. Training reads
a corpus by its recipe, a row group at a time, and whatever it accumulates holds no more than the largest of
the sources in memory: a longer corpus lies in a file while it is trained on.
"""

import itertools
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pyarrow as pa

from ouroboros.data.corpus import ROW_GROUP, Corpus, ShardWriter, row_groups, token_type_of
from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.pipeline.regimes import RESERVE, Part
from ouroboros.randomness import permutation, seed_for
from ouroboros.storage.parquet import new_parquet, read_footer, read_parquet

SCHEMA = pa.schema([("source", pa.int32()), ("row", pa.int64())])
log = logging.getLogger("ouroboros")


def write_recipe(
    parts: list[Part], sizes: dict[int, int], seed: int, generation: int, path, reserve=()
):
    """Draw a generation's training corpus (see `draw`), and write its recipe."""
    found = draw(parts, sizes, seed, generation, reserve)
    with new_parquet(path, SCHEMA, compression="zstd") as writer:
        for source, rows in found.items():
            for start in range(0, len(rows), ROW_GROUP):
                own = pa.array(rows[start : start + ROW_GROUP], pa.int64())
                sources = pa.array(np.full(len(own), source), pa.int32())
                writer.write_batch(pa.record_batch([sources, own], schema=SCHEMA))


def draw(
    parts: list[Part], sizes: dict[int, int], seed: int, generation: int, reserve=()
) -> dict[int, np.ndarray]:
    """Draw the parts of a generation's training corpus: the rows of each source, in order.

    `sizes`: the number of sequences of each generation's corpus. `reserve`: the rows of real text beyond
    C_0 (`split`). UserError where a part wants more than there are.
    """
    found = {}  # source -> rows of each part
    for number, part in enumerate(parts):
        if part.start is not None:
            rows = _next_of(reserve, part, seed, generation)
            found.setdefault(RESERVE, []).append(rows)
        elif part.count != 0:
            for source, rows in _drawn(part, number, sizes, seed, generation).items():
                found.setdefault(source, []).append(rows)
    if not any(map(len, itertools.chain(*found.values()))):
        raise UserError(f"The regime leaves generation {generation} nothing to train on.")
    return {source: np.sort(np.concatenate(found[source])) for source in sorted(found)}


def write_whole(corpora: dict[int, list], path):
    """Write the recipe of all sequences of some corpora; `corpora`: the shards of each source."""
    write_recipe([Part([*corpora])], count_sequences(corpora), 0, 0, path)


def count_sequences(corpora: dict[int, list]) -> dict[int, int]:
    """The sequences of each source, by its shards' footers: training verifies the shards themselves."""
    return {
        source: sum(read_footer(shard).num_rows for shard in shards)
        for source, shards in corpora.items()
    }


def _next_of(reserve, part, seed, generation):
    """Rows of the reserve that no generation before this one has used, in the lineage's own order."""
    end = part.start + part.count
    if end > len(reserve):
        raise UserError(
            f"Generation {generation} needs unused real sequences up to number {end}, and there are "
            f"{len(reserve)} beyond the initial corpus. Give the corpus more text, or set fewer "
            "`generations`, a smaller `rho` or fewer `initial_sequences`."
        )
    order = permutation(seed_for(seed, 0, "recipe"), 0, len(reserve))
    return reserve[order[part.start : end]]


def _drawn(part, number, sizes, seed, generation) -> dict[int, np.ndarray]:
    """The rows of one part, by source."""
    counts = [sizes[source] for source in part.sources]
    ends = np.cumsum(counts)
    whole, count = int(ends[-1]), part.count
    if count is None or count == whole:
        return {source: np.arange(size) for source, size in zip(part.sources, counts, strict=True)}
    if count > whole:
        raise UserError(
            f"The regime wants {count} sequences of {_named(part.sources)} in generation {generation}, and "
            f"there are {whole}. Ask for fewer, or raise `sequences` of the sampling settings."
        )
    drawn = permutation(seed_for(seed, generation, "recipe"), number, whole)[:count]
    places, starts = np.searchsorted(ends, drawn, side="right"), ends - counts
    return {
        source: drawn[places == place] - starts[place] for place, source in enumerate(part.sources)
    }


def _named(sources):
    if len(sources) > 1:
        return f"the corpora of generations {sources[0]} to {sources[-1]} together"
    return f"the corpus of generation {sources[0]}" if sources[0] else "the initial corpus"


def split(whole: int, initial: int) -> tuple[np.ndarray, np.ndarray]:
    """Split a corpus of `whole` sequences at random: the rows of C_0, sorted, and those of the reserve.

    The same for all lineages, so that those with one C_0 share it.
    """
    order = permutation(seed_for(0, 0, "recipe"), 1, whole)
    return np.sort(order[:initial]), order[initial:]


def write_initial(sequences, count: int, path):
    """Write C_0: `count` of a corpus's sequences (`split`). UserError where it has fewer."""
    file = read_parquet(sequences)
    whole, length = file.metadata.num_rows, file.schema_arrow.field("input_ids").type.list_size
    if count > whole:
        raise UserError(
            f"{sequences} has {whole} sequences, and the lineage's `initial_sequences` are {count}. Set "
            "it to fewer, or give the corpus more text."
        )
    with ShardWriter(path, length, token_type_of(file.schema_arrow)) as shard:
        for piece in _Cursor([sequences]).take(split(whole, count)[0]):
            shard.add(piece.tokens, piece.previous)


def read_recipe(path) -> dict[int, np.ndarray]:
    """The rows of each source."""
    table = read_parquet(path).read()
    source, row = (table[name].to_numpy() for name in SCHEMA.names)
    return {int(k): row[source == k] for k in np.unique(source)}


def read_corpus(recipe, corpora: dict[int, list], folder) -> Corpus:
    """The training corpus of a recipe; `corpora`: the shards of each source.

    `folder`: where a file of its tokens lies, if it is longer than the longest source; it has no name
    there, and is gone with the process.
    """
    file = read_parquet(recipe)
    count = file.metadata.num_rows
    longest = max(count_sequences(corpora).values())
    tokens, start = None, 0
    dtype = _widest(corpora)
    previous = np.empty(count, dtype)
    for piece in _pieces(file, recipe, corpora):
        if tokens is None:
            shape = (count, piece.tokens.shape[1])
            tokens = (
                np.empty(shape, dtype) if count <= longest else StoredRows(shape, dtype, folder)
            )
        elif piece.tokens.shape[1] != tokens.shape[1]:
            raise UserError(
                f"Of the corpora of {recipe}, some have sequences of {tokens.shape[1]} tokens and some of "
                f"{piece.tokens.shape[1]}. Remake them in one run."
            )
        end = start + len(piece)
        tokens[start:end], previous[start:end] = piece.tokens, piece.previous
        start = end
    return Corpus(tokens, previous)


def _widest(corpora):
    """The token type that holds the tokens of all shards."""
    footers = (read_footer(shard) for shards in corpora.values() for shard in shards)
    return np.result_type(
        np.uint16, *(token_type_of(of.schema.to_arrow_schema()) for of in footers)
    )


def _pieces(file, recipe, corpora) -> Iterator[Corpus]:
    """The sequences of a recipe in order, some at a time."""
    current, cursor = None, None
    for batch in file.iter_batches(ROW_GROUP):
        source, row = (batch[name].to_numpy() for name in SCHEMA.names)
        for start, end in itertools.pairwise(
            [0, *(np.flatnonzero(np.diff(source)) + 1), len(source)]
        ):
            if source[start] != current:
                current = int(source[start])
                if current not in corpora:
                    raise DamagedArtifact(
                        recipe, f"it names generation {current}, which is no source of it"
                    )
                cursor = _Cursor(corpora[current])
            try:
                yield from cursor.take(row[start:end])
            except IndexError as error:
                raise DamagedArtifact(recipe, f"of generation {current}, {error}") from error


class _Cursor:
    """Reads rows of one corpus in increasing order, holding one row group."""

    def __init__(self, paths):
        self.groups, self.start, self.end = row_groups(paths), 0, 0

    def take(self, rows):
        """Yield the sequences `rows`, which are sorted; IndexError where the corpus ends before."""
        while len(rows):
            count = int(np.searchsorted(rows, self.end))
            if count:
                own = rows[:count] - self.start
                yield Corpus(self.group.tokens[own], self.group.previous[own])
                rows = rows[count:]
            if len(rows):
                self.group = next(self.groups, None)
                if self.group is None:
                    raise IndexError(f"it names sequence {rows[-1]}, and there are {self.end}")
                self.start, self.end = self.end, self.end + len(self.group)


class StoredRows:
    """An array of tokens (sequences, length) in a file, to which one writes slices and reads rows.

    By reads, not as a memory map: mapped pages count as the process's memory.
    """

    def __init__(self, shape: tuple[int, int], dtype: np.dtype, folder):
        self.shape, self.dtype = shape, np.dtype(dtype)
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the process
        self.bytes = shape[1] * self.dtype.itemsize  # of a row
        self.largest = 0
        size = shape[0] * self.bytes
        log.info("The training corpus lies in a file of %.1f GB in %s.", size / 1e9, folder)

    def __len__(self):
        return self.shape[0]

    @property
    def size(self) -> int:
        """Tokens."""
        return self.shape[0] * self.shape[1]

    def max(self) -> int:
        """The largest token."""
        return self.largest

    def __setitem__(self, rows: slice, tokens: np.ndarray):
        tokens = np.ascontiguousarray(tokens, self.dtype)
        self.largest = max(self.largest, int(tokens.max()))
        self.file.seek(rows.start * self.bytes)
        self.file.write(tokens.data)
        self.file.flush()

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        found = np.empty((len(rows), self.shape[1]), self.dtype)
        for place, row in zip(found, rows, strict=True):
            os.preadv(self.file.fileno(), [place], int(row) * self.bytes)
        return found
