"""A small lineage of every regime, side by side: of three generations and more, each trains as none of the others."""

import copy

from tools import TINY

INITIAL, SAMPLED = 90, 80  # sequences of C_0, and of each generation's corpus
SETTINGS = {
    "replace": {}, "accumulate": {}, "accumulate_subsample": {}, "window": {"k": 2},
    "mix": {"rho": 0.15}, "fresh": {"rho": 0.15}, "counts": {"n_real": 20, "n_generated": 70},
    "growth": {"s": 0.2, "n_0": 15}, "history": {"alpha": 0.1}, "published": {},
}  # fmt: skip


def with_regimes(names, generations: int, config: dict = TINY) -> dict:
    """A configuration with a lineage of each of these regimes, called by it, instead of its lineage `tiny`."""
    config = copy.deepcopy(config)
    tiny = config["lineages"].pop("tiny")
    config["sampling"]["tiny"] |= {"sequences": SAMPLED, "temperature": 1.0}
    for name in names:
        config["lineages"][name] = {
            **copy.deepcopy(tiny), "regime": {"name": name, **SETTINGS[name]}, "generations": generations,
            "initial_sequences": INITIAL,
        }  # fmt: skip
    return config
