"""Memory and time of a training corpus that accumulates: one shard stands for every generation.

Prints a line each for one generation and for all of them, each measured in a process of its own.
"""

import argparse
import multiprocessing
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import sides  # noqa: F401 - puts the library on the path

from ouroboros.data.corpus import ShardWriter
from ouroboros.data.recipe import read_corpus, write_whole

BATCH, UPDATES = 320, 200  # sequences of an update, as the paper has it


def measure(shard: str, generations: int, folder: str):
    """Print the peak memory of a process that reads the corpora, and the time of an update's sequences."""
    corpora = {generation: [shard] for generation in range(generations)}
    recipe = Path(folder, f"recipe-{generations}.parquet")
    began = time.perf_counter()
    write_whole(corpora, recipe)
    corpus = read_corpus(recipe, corpora, Path(folder, "state"))
    seconds = time.perf_counter() - began
    rng, times = np.random.default_rng(0), []
    for _ in range(UPDATES):
        rows = np.sort(rng.integers(0, len(corpus), BATCH))
        began = time.perf_counter()
        corpus.tokens[rows].astype(np.int64)
        times.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"| {generations} | {len(corpus):,} | {peak / 1e9:.2f} GB | {seconds:.0f} s | "
        f"{1e3 * np.median(times):.2f} ms (90%: {1e3 * np.quantile(times, 0.9):.2f}) |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=1_000_000)
    parser.add_argument("--length", type=int, default=600)
    parser.add_argument("--generations", type=int, default=40)
    parser.add_argument(
        "--folder", help="where the files lie meanwhile: a disk with room for all of them"
    )
    options = parser.parse_args()
    print("| generations | sequences | peak memory | to read them | sequences of an update |")
    print("|--:|--:|--:|--:|--:|")
    with TemporaryDirectory(dir=options.folder) as folder:
        shard, rng = f"{folder}/shard.parquet", np.random.default_rng(0)
        with ShardWriter(shard, options.length, np.uint16) as writer:
            for start in range(0, options.sequences, 10_000):
                count = min(10_000, options.sequences - start)
                zipf = np.minimum(rng.zipf(1.3, (count, options.length)), 50_000)
                writer.add(zipf.astype(np.uint16), 0)
        for generations in (1, options.generations):
            process = multiprocessing.get_context("spawn").Process(
                target=measure, args=(shard, generations, folder)
            )
            process.start()
            process.join()


if __name__ == "__main__":
    main()
