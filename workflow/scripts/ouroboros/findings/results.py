"""Looking up series of measurements in the artifacts of a lineage.

A lineage's measurements are a dict: "baseline", "gen0", "gen1", ... -> the artifacts of that LM,
"ppl", "text", "gpt_eval" -> the contents of the file of that name, "classification" -> task ->
contents. Any of them may be missing.
"""

from collections.abc import Iterable
from pathlib import Path

from ouroboros.findings.verdict import Series
from ouroboros.storage.atomic import read_json


class Missing(Exception):
    """A measurement that a finding cannot do without; the text names it."""


class Lineage:
    """The measurements of one lineage, and in `gaps` which of those asked for are not there.

    `keys` say where a number stands: "ppl.perplexity", "classification.sst2.accuracy"; `error`
    where its standard error does; `unit` is what sentences call it.
    """

    def __init__(self, measured: dict[str, dict]):
        self.measured = measured
        self.gaps = []
        self.generations = sorted(
            int(lm.removeprefix("gen")) for lm in measured if lm not in ("baseline", "gen0")
        )

    def series(self, keys: str, error: str = "", unit: str = "", every: bool = False) -> Series:
        """Of all generations that have it; `every` notes those that do not. Raises Missing."""
        numbers = [(n, self._find(f"gen{n}", keys)) for n in self.generations]
        kept = [(n, value) for n, value in numbers if value is not None]
        if not kept:
            raise Missing(f"{keys} of every generation")
        if every and len(kept) < len(numbers):
            without = ", ".join(str(n) for n, value in numbers if value is None)
            self.gaps.append(f"{keys} of generations {without}")
        errors = [self._find(f"gen{n}", error) for n, _ in kept]
        generations, values = map(list, zip(*kept, strict=True))
        return Series(unit or keys, generations, values, None if None in errors else errors)

    def perplexity(self) -> Series:
        """Of all generations, with the standard error of the loss times perplexity (delta method)."""
        series = self.series("ppl.perplexity", "ppl.standard_error", "perplexity", every=True)
        pairs = zip(series.values, series.errors or [], strict=False)
        return series._replace(errors=[value * error for value, error in pairs] or None)

    def ends(self, keys: str, error: str, unit: str, first: bool = False) -> tuple[Series, Series]:
        """The last generation (or the first) alone, and the baseline. Raises Missing."""
        series = self.series(keys, error, unit)
        if not series.errors:
            raise Missing(f"{error} of every generation")
        end = series.generations[0 if first else -1]
        baseline = [self._find("baseline", where) for where in (keys, error)]
        if None in baseline:
            raise Missing(f"{keys} and {error} of the baseline")
        untrained = Series(f"{unit} of the baseline", [0], baseline[:1], baseline[1:])
        return series.part(lambda n: n == end), untrained

    def _find(self, lm, keys):
        return look_up(self.measured.get(lm, {}), keys)


def look_up(artifacts: dict, keys: str):
    """What stands in an LM's artifacts under "ppl.perplexity" and the like; None where nothing does."""
    found = artifacts
    for key in keys.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def read_measurements(paths: Iterable) -> dict[str, dict[str, dict]]:
    """Lineage -> its measurements, from JSON files that say themselves whose they are."""
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
