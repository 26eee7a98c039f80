"""Lineages that are like another (`like`): they take from it what they do not say themselves."""

from ouroboros.config.layers import overlay
from ouroboros.errors import UserError, suggestion

PARTS = ("corpus", "model")  # of which no default would be right


def fill_in(lineages: dict) -> dict:
    """The entries of `lineages` without `like`, each filled in from the one that it names.

    Overrides are taken by part, those of resources by rule, and not for a part that the entry names
    itself; of `seed` and `seeds`, an entry's own stands for both. Raises UserError for a name that
    is not there, a circle, and a lineage that has no corpus or model then.
    """
    filled = {name: _fill(name, lineages, []) for name in lineages}
    for name, entry in filled.items():
        for part in PARTS:
            if part not in entry:
                raise UserError(
                    f"config: lineages.{name}: the key {part!r} is missing. Name one, or as `like` "
                    "a lineage to take it from."
                )
    return filled


def _fill(name, lineages, of):
    entry = dict(lineages[name])
    other = entry.pop("like", None)
    if other is None:
        return entry
    where = f"config: lineages.{name}.like"
    if other not in lineages:
        raise UserError(f"{where}: there is no lineage {other!r}. {suggestion(other, lineages)}")
    if other in (chain := [*of, name]):
        circle = " is like ".join([*chain[chain.index(other) :], other])
        raise UserError(f"{where}: {circle}: a circle. Leave `like` out of one of them.")
    base = _fill(other, lineages, [*of, name])
    if "seed" in entry or "seeds" in entry:
        base.pop("seed", None)
        base.pop("seeds", None)
    theirs = {
        part: changes for part, changes in base.get("overrides", {}).items() if part not in entry
    }
    overrides = overlay(theirs, entry.get("overrides", {}))
    return {**base, **entry, "overrides": overrides}
