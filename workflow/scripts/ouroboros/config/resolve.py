"""Resolve the configuration: check it, fill in defaults, and give each lineage its full settings.

It imports jsonschema only, since the Snakefile imports it, in every job of a cluster too.
"""

import copy

from ouroboros.config.checks import (
    check_comparisons,
    check_judge,
    check_lineage,
    check_plan,
    check_tasks,
)
from ouroboros.config.families import DEFAULT
from ouroboros.config.likeness import fill_in
from ouroboros.config.regimes import settle_regime, with_named_regimes
from ouroboros.config.schema import validate, with_defaults
from ouroboros.config.start import settle_start
from ouroboros.errors import UserError, suggestion

# key of a lineage -> section of the configuration that has the entry of this name
SECTIONS = {
    "corpus": "corpora",
    "tokenizer": "tokenizers",
    "model": "models",
    "training": "training",
    "sampling": "sampling",
    "evaluation": "evaluation",
}


def resolve(config: dict, schema: dict) -> dict:
    """Check `config` against `schema` and return it with all defaults and references filled in.

    Returns a dict of `corpora`, `tokenizers`, `tasks` and `judges` (name -> settings), `lineages`
    (name -> its settings by part), `comparisons`, `collapse`, `plan`, `cluster` and `resources`. A lineage
    names its `corpus` and `tokenizer`; one that it overrides is called `{entry}.{lineage}`.
    Raises UserError naming the key, what is wrong and what would be right.
    """
    config = validate(with_named_regimes(config), schema, schema, "config")
    lineages = fill_in(config["lineages"])
    lineages, comparisons = _expand_seeds(lineages, config.get("comparisons", {}))
    resolved = {
        "corpora": {},
        "tokenizers": {},
        "tasks": {
            name: with_defaults(task, schema["$defs"]["task"], schema)
            for name, task in config.get("tasks", {}).items()
        },
        "comparisons": comparisons,
        "collapse": with_defaults(config.get("collapse", {}), schema["$defs"]["collapse"], schema),
        "cluster": with_defaults(config.get("cluster", {}), schema["$defs"]["cluster"], schema),
        "resources": with_defaults(config["resources"], schema["$defs"]["resources"], schema),
        "judges": {
            name: with_defaults(judge, schema["$defs"]["judge"], schema)
            for name, judge in config.get("judges", {}).items()
        },
        "lineages": {},
        "plan": with_defaults(config.get("plan", {}), schema["$defs"]["plan"], schema),
    }
    seedless = {}  # key of the configuration -> its settings: resolved once for all of its seeds
    for name, (key, entry) in lineages.items():
        if key not in seedless:
            seedless[key] = _resolve_lineage(key, entry, config, schema, resolved)
        same = seedless[key]
        resolved["lineages"][name] = {**same, "name": name, "seed": entry.get("seed", same["seed"])}
    check_comparisons(resolved["lineages"], comparisons)
    check_plan(resolved["plan"], config, resolved)
    return resolved


def _expand_seeds(lineages, comparisons):
    """One lineage per seed: name -> (its key in the configuration, its entry); and comparisons.

    `mine` with `seeds: [1, 2]` becomes `mine-s1` and `mine-s2`; `mine` becomes a comparison of
    them, and stands for them in other comparisons.
    """
    expanded, seeded = {}, {}
    for name, entry in lineages.items():
        seeds = entry.get("seeds", [])
        if seeds and "seed" in entry:
            raise UserError(f"config: lineages.{name}: give `seed` or `seeds`, not both.")
        rest = {key: value for key, value in entry.items() if key != "seeds"}
        members = {f"{name}-s{seed}": {**rest, "seed": seed} for seed in seeds} or {name: rest}
        for member, settings in members.items():
            if member in expanded or (seeds and member in lineages):
                raise UserError(
                    f"config: lineages.{name}: its seeds make a lineage {member!r}, and there is "
                    "one of this name already. Rename one of them."
                )
            expanded[member] = (name, settings)
        if seeds:
            seeded[name] = list(members)
    for name, members in comparisons.items():
        if name in seeded:
            raise UserError(
                f"config: comparisons.{name}: the lineage of this name has seeds, which makes it a "
                "comparison of them already. Give this one another name."
            )
        members = [one for member in members for one in seeded.get(member, [member])]
        comparisons = {**comparisons, name: list(dict.fromkeys(members))}
    return expanded, {**comparisons, **seeded}


def _resolve_lineage(name, entry, config, schema, resolved):
    where = f"config: lineages.{name}"
    lineage = with_defaults(entry, schema["$defs"]["lineage"], schema)
    overrides = lineage.pop("overrides")
    lineage["model_name"] = lineage["model"]
    for part, section in SECTIONS.items():
        entry = lineage[part]
        if entry not in config[section]:
            raise UserError(
                f"{where}.{part}: there is no {entry!r} under `{section}`. "
                f"{suggestion(entry, config[section])}"
            )
        changes = overrides.get(part, {})
        settings = {**config[section][entry], **changes}
        definition = schema["$defs"][part]
        if changes:  # the entry itself has been checked with the whole
            settings = validate(settings, definition, schema, f"{where}.overrides.{part}")
        settings = with_defaults(settings, definition, schema)
        if section in resolved:  # shared between lineages, so kept under a name
            key = f"{entry}.{name}" if changes else entry
            resolved[section][key] = settings
            lineage[part] = key
        else:
            lineage[part] = settings
    if lineage["model"].get("family") == DEFAULT:
        del lineage["model"]["family"]  # a rule's params are the same whether it is named or not
    settle_regime(where, lineage)
    settle_start(where, lineage)
    lineage["resources"] = _resolve_resources(where, config, overrides.get("resources", {}), schema)
    check_lineage(where, lineage)
    check_tasks(where, lineage, resolved["tasks"])
    check_judge(where, lineage, resolved["judges"])
    return lineage


def _resolve_resources(where, config, overrides, schema):
    if not overrides:
        return with_defaults(config["resources"], schema["$defs"]["resources"], schema)
    resources = copy.deepcopy(config["resources"])
    rules = schema["$defs"]["resources"]["properties"]
    for rule, changes in overrides.items():
        if rule not in rules:
            raise UserError(
                f"{where}.overrides.resources: there is no rule {rule!r}. {suggestion(rule, rules)}"
            )
        if not isinstance(changes, dict):
            raise UserError(
                f"{where}.overrides.resources.{rule}: has to be a mapping of resources."
            )
        resources[rule] = {**resources.get(rule, {}), **changes}
    definition = schema["$defs"]["resources"]
    resources = validate(resources, definition, schema, f"{where}.overrides.resources")
    return with_defaults(resources, definition, schema)
