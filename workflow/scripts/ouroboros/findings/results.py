"""Measurements of lineages, read from their artifacts, and series of them.

A lineage's measurements are a dict: LM ("baseline", "gen0", "gen1", ...) -> "ppl", "text",
"gpt_eval" -> contents of the file of that name, and "classification" -> task -> contents. Any of
them may be missing.
"""

from collections.abc import Iterable
from pathlib import Path

from ouroboros.findings.series import Series
from ouroboros.storage.atomic import read_json


class Missing(Exception):
    """A measurement that a test needs is missing; the text names it."""


class Lineage:
    """The measurements of one lineage; `gaps` lists those that a series was to have but has not.

    `key`: place of a number, "ppl.perplexity" or "classification.sst2.accuracy". `error`: place of
    its standard error. `unit`: its name in sentences.
    """

    def __init__(self, measured: dict[str, dict]):
        self.measured = measured
        self.gaps = []
        self.generations = sorted(
            int(lm.removeprefix("gen")) for lm in measured if lm not in ("baseline", "gen0")
        )

    def series(self, key: str, error: str = "", unit: str = "", every: bool = False) -> Series:
        """The series of a measurement over all generations that have it. Raises Missing if none has.

        With `every`, those without it are added to `gaps`.
        """
        numbers = [(n, self._find(f"gen{n}", key)) for n in self.generations]
        kept = [(n, value) for n, value in numbers if value is not None]
        if not kept:
            raise Missing(f"{key} of every generation")
        if every and len(kept) < len(numbers):
            without = ", ".join(str(n) for n, value in numbers if value is None)
            self.gaps.append(f"{key} of generations {without}")
        errors = [self._find(f"gen{n}", error) for n, _ in kept]
        generations, values = map(list, zip(*kept, strict=True))
        return Series(unit or key, generations, values, None if None in errors else errors)

    def perplexity(self) -> Series:
        """Perplexity by generation; its error is that of the loss times perplexity (delta method)."""
        series = self.series("ppl.perplexity", "ppl.standard_error", "perplexity", every=True)
        pairs = zip(series.values, series.errors or [], strict=False)
        return series._replace(errors=[value * error for value, error in pairs] or None)

    def ends(self, key: str, error: str, unit: str, first: bool = False) -> tuple[Series, Series]:
        """The last generation (or the first) and the baseline, a series of one value each.

        Raises Missing if either lacks the value or its error.
        """
        series = self.series(key, error, unit)
        if not series.errors:
            raise Missing(f"{error} of every generation")
        end = series.generations[0 if first else -1]
        baseline = [self._find("baseline", place) for place in (key, error)]
        if None in baseline:
            raise Missing(f"{key} and {error} of the baseline")
        untrained = Series(f"{unit} of the baseline", [0], baseline[:1], baseline[1:])
        return series.where(lambda n: n == end), untrained

    def _find(self, lm, key):
        return look_up(self.measured.get(lm, {}), key)


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
