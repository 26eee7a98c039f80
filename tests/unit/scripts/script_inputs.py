"""The object that Snakemake hands to a script, for tests that call its `main`."""

import numpy as np

from ouroboros.data.corpus import ShardWriter


class Named(dict):
    """Values by name, as Snakemake hands them to a script."""

    __getattr__ = dict.__getitem__


def write_shard(path, seed):
    with ShardWriter(path, 16, np.uint16) as shard:
        shard.add(np.random.default_rng(seed).integers(1, 300, (16, 16)).astype(np.uint16), 0)
