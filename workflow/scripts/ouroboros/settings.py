"""Configuration as data: checked against the schema, defaults filled in, every lineage resolved.

Light on purpose (jsonschema only): the Snakefile imports it, and every job of a cluster re-reads that.
"""

import copy
import difflib
import math

from jsonschema import Draft202012Validator

from ouroboros.errors import UserError

# part of a lineage -> section of the configuration it names an entry of
SECTIONS = {
    "corpus": "corpora",
    "tokenizer": "tokenizers",
    "model": "models",
    "training": "training",
    "sampling": "sampling",
    "evaluation": "evaluation",
}


def resolve(config: dict, schema: dict, reserved: frozenset[str] = frozenset()) -> dict:
    """Check `config` and return it resolved.

    Returns a dict with `corpora` and `tokenizers` (name -> settings, those that a lineage overrides
    under the name `{part}.{lineage}`), `tasks` (name -> settings), `lineages` (name -> its parts as dicts; `corpus` and
    `tokenizer` as names into the former two), `comparisons` and `resources`.
    Raises UserError naming the key, what is wrong with it and what would be right.
    """
    _check(config, schema, schema, "config")
    resolved = {
        "corpora": {},
        "tokenizers": {},
        "tasks": {
            name: _with_defaults(task, schema["$defs"]["task"], schema)
            for name, task in config.get("tasks", {}).items()
        },
        "comparisons": config.get("comparisons", {}),
        "cluster": _with_defaults(config.get("cluster", {}), schema["$defs"]["cluster"], schema),
        "resources": _with_defaults(config["resources"], schema["$defs"]["resources"], schema),
        "judges": {
            name: _with_defaults(judge, schema["$defs"]["judge"], schema)
            for name, judge in config.get("judges", {}).items()
        },
        "lineages": {},
    }
    for name in config["lineages"]:
        resolved["lineages"][name] = _lineage(name, config, schema, resolved)
    _check_names(resolved, reserved)
    return resolved


def nearest(word: str, known) -> str:
    """A hint that names the entry of `known` that is nearest to `word`, or lists them all."""
    known = sorted(str(entry) for entry in known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known) or 'none'}."


def _lineage(name, config, schema, resolved):
    where = f"config: lineages.{name}"
    lineage = _with_defaults(config["lineages"][name], schema["$defs"]["lineage"], schema)
    overrides = lineage.pop("overrides")
    lineage["name"] = name
    for part, section in SECTIONS.items():
        entry = lineage[part]
        if entry not in config[section]:
            raise UserError(
                f"{where}.{part}: there is no {entry!r} under `{section}`. "
                f"{nearest(entry, config[section])}"
            )
        changes = overrides.get(part, {})
        settings = {**config[section][entry], **changes}
        place = f"{where}.overrides.{part}" if changes else f"config: {section}.{entry}"
        definition = schema["$defs"][part]
        _check(settings, definition, schema, place)
        settings = _with_defaults(settings, definition, schema)
        if section in resolved:  # shared between lineages, so kept under a name
            key = f"{entry}.{name}" if changes else entry
            resolved[section][key] = settings
            lineage[part] = key
        else:
            lineage[part] = settings
    lineage["resources"] = _resources(where, config, overrides.get("resources", {}), schema)
    _check_lineage(where, lineage)
    _check_tasks(where, lineage, resolved["tasks"])
    _check_judge(where, lineage, resolved["judges"])
    return lineage


def _resources(where, config, overrides, schema):
    resources = copy.deepcopy(config["resources"])
    for rule, changes in overrides.items():
        if rule not in resources:
            raise UserError(
                f"{where}.overrides.resources: there is no rule {rule!r}. {nearest(rule, resources)}"
            )
        if not isinstance(changes, dict):
            raise UserError(
                f"{where}.overrides.resources.{rule}: has to be a mapping of resources."
            )
        resources[rule] |= changes
    definition = schema["$defs"]["resources"]
    _check(resources, definition, schema, f"{where}.overrides.resources")
    return _with_defaults(resources, definition, schema)


def _check_lineage(where, lineage):
    """What no schema can say: settings that have to fit one another."""
    model, sampling = lineage["model"], lineage["sampling"]
    if model["hidden_size"] % model["heads"]:
        raise UserError(
            f"{where}.model: hidden_size {model['hidden_size']} is not divisible by heads "
            f"{model['heads']}; each head takes an equal share of it."
        )
    for part, key, length in (
        ("sampling", "sequence_length", sampling["sequence_length"]),
        ("evaluation", "context", lineage["evaluation"]["context"]),
    ):
        if length > model["positions"]:
            raise UserError(
                f"{where}.{part}: {key} {length} is more than the model's positions "
                f"({model['positions']}). Lower it, or raise positions of the model."
            )
    if sampling["shards"] > sampling["sequences"]:
        raise UserError(
            f"{where}.sampling: shards {sampling['shards']} is more than sequences "
            f"({sampling['sequences']}); a shard holds at least one sequence."
        )


def _check_tasks(where, lineage, tasks):
    """Tasks have to be there, and their texts to fit the model."""
    settings, positions = lineage["evaluation"]["classification"], lineage["model"]["positions"]
    for name in settings["tasks"]:
        if name not in tasks:
            raise UserError(
                f"{where}.evaluation.classification.tasks: there is no {name!r} under `tasks`. "
                f"{nearest(name, tasks)}"
            )
        length = tasks[name].get("max_length", settings["max_length"])
        if length > positions:
            raise UserError(
                f"{where}.evaluation.classification: max_length {length} of {name} is more than the "
                f"model's positions ({positions}). Lower it, or raise positions of the model."
            )


def _check_judge(where, lineage, judges):
    judge = lineage["evaluation"]["judge"]
    if judge is not None and judge not in judges:
        raise UserError(
            f"{where}.evaluation: there is no {judge!r} under `judges`. {nearest(judge, judges)}"
        )


def _check_names(resolved, reserved):
    lineages, comparisons = resolved["lineages"], resolved["comparisons"]
    for kind, names in (("lineages", lineages), ("comparisons", comparisons)):
        for name in names:
            if name in reserved:
                raise UserError(
                    f"config: {kind}.{name}: this name is taken by the workflow itself. "
                    f"Give it another one; taken are {', '.join(sorted(reserved))}."
                )
    for name, members in comparisons.items():
        if name in lineages:
            raise UserError(
                f"config: comparisons.{name}: a lineage has this name already; both are folders "
                "of results/, so give the comparison another one."
            )
        for member in members:
            if member not in lineages:
                raise UserError(
                    f"config: comparisons.{name}: there is no lineage {member!r}. "
                    f"{nearest(member, lineages)}"
                )


def _check(value, definition, schema, place):
    """Raise UserError for the first violation of `definition`, in words."""
    _check_finite(value, place)
    validator = Draft202012Validator({**definition, "$defs": schema["$defs"]})
    errors = sorted(validator.iter_errors(value), key=lambda error: len(error.absolute_path))
    if errors:
        raise UserError(_in_words(errors[0], place))


def _in_words(error, place):
    start, _, rest = place.partition(": ")
    keys = [rest] if rest else []
    where = f"{start}: " + ".".join(keys + [str(key) for key in error.absolute_path])
    where = where.removesuffix(": ")
    description = error.schema.get("description", "")
    if "propertyNames" in error.absolute_schema_path:
        return f"{where}: the name {_short(error.instance)} cannot be used. {description}"
    if error.schema.get("writeOnly"):  # somebody may have put a secret there
        return (
            f"{where}: what stands there (not shown, it may be a key) does not fit. {description}"
        )
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(set(map(str, error.instance)) - set(known))
        return f"{where}: unknown key {unknown[0]!r}. {nearest(unknown[0], known)}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{where}: the key {missing[0]!r} is missing. {description}".strip()
    if error.validator == "enum":
        known = [str(value) for value in error.validator_value]
        return (
            f"{where}: {error.instance!r} is not one of {', '.join(known)}. {description}".strip()
        )
    if error.validator == "type":
        kinds = {"object": "mapping", "array": "list", "integer": "whole number", "string": "text"}
        given = error.validator_value
        names = [kinds.get(kind, kind) for kind in ([given] if isinstance(given, str) else given)]
        hint = _hint_at_a_number(error.instance)
        kind = " or ".join(names)
        return f"{where}: {_short(error.instance)} is not a {kind}.{hint} {description}".strip()
    if error.validator in ("anyOf", "pattern"):
        return f"{where}: {_short(error.instance)} does not fit. {description}".strip()
    if error.validator == "minItems":
        least = error.validator_value
        return f"{where}: {_short(error.instance)} is too short, at least {least} has to be there. {description}"
    return f"{where}: {error.message}. {description}".strip()


def _check_finite(value, place):
    """No `.nan` or `.inf`: comparisons with a NaN are false, so that no range refuses it."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{place}: {value} is not a number that can be computed with.")
    if isinstance(value, (dict, list)):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            _check_finite(entry, f"{place}{'.' if ': ' in place else ': '}{key}")


def _short(value):
    text = {None: "null", True: "true", False: "false"}[value] if _is_word(value) else repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _is_word(value):
    """Whether YAML has a word of its own for it."""
    return value is None or isinstance(value, bool)


def _hint_at_a_number(value):
    """A word to whoever wrote a number that arrived as text."""
    try:
        float(value)
    except (TypeError, ValueError):
        return ""
    if not isinstance(value, str):
        return ""
    if "e" in value.lower():
        return " YAML reads 5e-4 as text: write 5.0e-4."
    return " It arrived as text: write it without quotes, in a file for --configfile (nested numbers in --config become text)."


def _with_defaults(value, definition, schema):
    """A copy of `value` with the defaults of `definition` where a key is not given."""
    definition = _definition(value, definition, schema)
    filled = copy.deepcopy(value)
    for key, entry in definition.get("properties", {}).items():
        entry = _definition(filled.get(key), entry, schema)
        if key not in filled and "default" in entry:
            filled[key] = copy.deepcopy(entry["default"])
        if isinstance(filled.get(key), dict) and "properties" in entry:
            filled[key] = _with_defaults(filled[key], entry, schema)
    return filled


def _definition(value, definition, schema):
    """Follow $ref, and `if: source` to the definition that holds for `value`."""
    if "$ref" in definition and "properties" not in definition:
        definition = schema["$defs"][definition["$ref"].rsplit("/", 1)[1]]
    for branch in definition.get("allOf", []):
        source = branch["if"]["properties"]["source"]["const"]
        if isinstance(value, dict) and value.get("source") == source:
            return schema["$defs"][branch["then"]["$ref"].rsplit("/", 1)[1]]
    return definition
