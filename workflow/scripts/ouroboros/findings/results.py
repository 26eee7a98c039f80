"""Measurements of lineages, read from their artifacts, and series of them.

A lineage's measurements are a dict: LM ("baseline", "gen0", "gen1", ...) -> "ppl", "text",
"gpt_eval" -> contents of the file of that name, and "classification" -> task -> contents. Any of
them may be missing.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ouroboros.findings.estimates import Estimate
from ouroboros.findings.series import Series
from ouroboros.metrics.ppl.ratio import ratio
from ouroboros.storage.atomic import read_json
from ouroboros.storage.parquet import read_parquet

STORIES = "ppl-stories"  # of an LM: sums of losses and tokens by story, two arrays


class Missing(Exception):
    """A measurement that a test needs is missing; the text names it."""


class Lineage:
    """The measurements of one lineage; `gaps` lists those that a series was to have but has not.

    `key`: place of a number, "ppl.perplexity" or "classification.sst2.accuracy". `error`: its
    standard error, a function of the artifact. `unit`: its name in sentences.
    """

    def __init__(self, measured: dict[str, dict]):
        self.measured = measured
        self.gaps = []
        self.generations = sorted(
            int(lm.removeprefix("gen")) for lm in measured if lm not in ("baseline", "gen0")
        )

    def series(
        self,
        key: str,
        error: Callable | None = None,
        unit: str = "",
        every: bool = False,
        first: int = 1,
    ) -> Series:
        """The series of a measurement over all generations that have it. Raises Missing if none has.

        `first`: 0 begins it with the initial corpus. With `every`, those without it are added to `gaps`.
        """
        wanted = [*([0] if first == 0 else []), *self.generations]
        numbers = [(n, self.find(f"gen{n}", key)) for n in wanted]
        kept = [(n, value) for n, value in numbers if value is not None]
        if not kept:
            raise Missing(f"{key} of every generation")
        if every and len(kept) < len(numbers):
            without = ", ".join(str(n) for n, value in numbers if value is None)
            self.gaps.append(f"{key} of generations {without}")
        errors = [error and error(self.artifact(f"gen{n}", key)) for n, _ in kept]
        generations, values = map(list, zip(*kept, strict=True))
        return Series(unit or key, generations, values, None if None in errors else errors)

    def estimate(self, lm: str, key: str, error: Callable) -> Estimate:
        """A measurement of one LM with its error. Raises Missing without either."""
        value = self.find(lm, key)
        deviation = None if value is None else error(self.artifact(lm, key))
        if deviation is None:
            raise Missing(f"{key} and its error of {_name(lm)}")
        return Estimate(value, deviation)

    def artifact(self, lm: str, key: str) -> dict:
        """The artifact that a measurement stands in."""
        parts = key.split(".")
        depth = 2 if parts[0] == "classification" else 1
        return look_up(self.measured.get(lm, {}), ".".join(parts[:depth]))

    def find(self, lm: str, key: str):
        """A measurement of an LM, or None."""
        return look_up(self.measured.get(lm, {}), key)


def loss_difference(first: Lineage, first_lm: str, second: Lineage, second_lm: str) -> Estimate:
    """The mean loss of the first LM minus that of the second, nats; paired, with stories as sampled units.

    Losses of two LMs on the same stories correlate, so that the error of their difference is several
    times smaller than that of independent values. Raises Missing where the losses of stories were
    not kept, or are of other stories.
    """
    found = []
    for lineage, lm in ((first, first_lm), (second, second_lm)):
        if STORIES not in lineage.measured.get(lm, {}):
            raise Missing(
                f"the losses of stories ({STORIES}.parquet beside ppl.json; measure them by adding "
                "`--forcerun ppl` to the command that makes the findings)"
            )
        found.append(lineage.measured[lm][STORIES])
    (first_sums, first_tokens), (second_sums, second_tokens) = found
    if not np.array_equal(first_tokens, second_tokens):
        raise Missing("losses of the same stories: the two were measured on different ones")
    value, error = ratio(first_sums - second_sums, first_tokens)
    if error is None:
        raise Missing("more than one story to measure perplexity on")
    return Estimate(value, error)


def look_up(artifacts: dict, key: str):
    """The value in an LM's artifacts at a place like "ppl.perplexity"; None if there is none."""
    found = artifacts
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def read_measurements(paths: Iterable) -> dict[str, dict[str, dict]]:
    """Read JSON artifacts into lineage -> measurements; their provenance names lineage and LM."""
    measured = {}
    for path in map(Path, paths):
        figures = read_json(path)
        made = figures["provenance"]
        lm = made.get("lm") or f"gen{made['generation']}"
        artifacts = measured.setdefault(made["lineage"], {}).setdefault(lm, {})
        if path.parent.name == "classification":
            artifacts = artifacts.setdefault("classification", {})
        artifacts[path.stem] = figures
    return measured


def add_story_losses(measured: dict[str, dict[str, dict]], paths: Iterable):
    """Add the losses of stories that lie beside these ppl.json, where they do and belong to them."""
    for path in map(Path, paths):
        stories = path.with_name(f"{STORIES}.parquet")
        if path.name != "ppl.json" or not stories.is_file():
            continue
        table = read_parquet(stories).read()
        sums, tokens = (table[name].to_numpy() for name in ("loss", "tokens"))
        made = read_json(path)["provenance"]
        artifacts = measured[made["lineage"]][made.get("lm") or f"gen{made['generation']}"]
        # of an earlier measurement, if the mean differs
        if np.isclose(sums.sum() / tokens.sum(), artifacts["ppl"]["loss"], rtol=1e-9):
            artifacts[STORIES] = sums, tokens


def _name(lm):
    return "the baseline" if lm == "baseline" else lm
