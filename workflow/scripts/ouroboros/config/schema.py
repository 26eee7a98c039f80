"""Validate the configuration against its schema, and fill in the schema's defaults."""

import copy
import functools
import math
import operator

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from ouroboros.errors import UserError, suggestion

# JSON Schema takes 4.0 for an integer, which Python does not.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)

MOST = 5  # mistakes that one message tells


def validate(value, definition, schema, place):
    """A copy of `value`; UserError for its violations of `definition`, a part of `schema`.

    Numbers that are whole, 4.0 or 1.0e+6, are integers in the copy where `definition` wants these.
    `place` says in messages where `value` stands: `config`, or `config: key.of.it`.
    """
    _check_finite(value, place)
    validator = _Validator({**definition, "$defs": schema["$defs"]})
    value = copy.deepcopy(value)
    errors = list(validator.iter_errors(value))
    for error in errors:
        if isinstance(error.instance, float) and _is_whole(error.instance, error.schema):
            *parents, last = error.absolute_path
            functools.reduce(operator.getitem, parents, value)[last] = int(error.instance)
    if errors:
        errors = sorted(validator.iter_errors(value), key=lambda error: len(error.absolute_path))
    if errors:
        # one message for each place, since one mistake can be several violations
        messages = {
            tuple(error.absolute_path): _message(error, place) for error in reversed(errors)
        }
        raise UserError("\n".join(list(messages.values())[::-1][:MOST]))
    return value


def _message(error, place):
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
        advice = suggestion(unknown[0], known)
        if advice.startswith("Known") and "const" in known.get("source", {}):
            advice += (
                f" These are the keys of `source: {known['source']['const']}`. Where config.yaml has an entry "
                "of this name, its keys stay under yours: for another source, take another name."
            )
        return f"{where}: unknown key {unknown[0]!r}. {advice}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{where}: the key {missing[0]!r} is missing. {description}".strip()
    if error.validator == "enum":
        known = ["null" if value is None else str(value) for value in error.validator_value]
        return (
            f"{where}: {error.instance!r} is not one of {', '.join(known)}. {description}".strip()
        )
    if error.validator == "type":
        kinds = {"object": "mapping", "array": "list", "integer": "whole number", "string": "text"}
        given = error.validator_value
        names = [kinds.get(kind, kind) for kind in ([given] if isinstance(given, str) else given)]
        hint = _number_hint(error.instance, error.schema)
        kind = " or ".join(names)
        return f"{where}: {_short(error.instance)} is not a {kind}.{hint} {description}".strip()
    if error.validator in ("anyOf", "pattern"):
        hint = _number_hint(error.instance, error.schema)
        return f"{where}: {_short(error.instance)} does not fit.{hint} {description}".strip()
    if error.validator == "minItems":
        least = error.validator_value
        return f"{where}: {_short(error.instance)} is too short, at least {least} has to be there. {description}"
    return f"{where}: {error.message}. {description}".strip()


def _check_finite(value, place):
    """Refuse `.nan` and `.inf`: no range of the schema does, as comparisons with NaN are false."""
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
    """True for values that YAML writes as words of its own: null, true, false."""
    return value is None or isinstance(value, bool)


def _number_hint(value, definition):
    """A hint for a number that arrived as text; empty for other values."""
    if not isinstance(value, str) or not (
        _takes("integer", definition) or _takes("number", definition)
    ):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    if "e" in value.lower():
        written = repr(int(number) if _is_whole(number, definition) else number)
        if "." not in written:  # YAML wants a point before an e
            written = written.replace("e", ".0e")
        return f" YAML reads {value} as text: write {written}."
    return " It arrived as text: write it without quotes, in a file for --configfile (nested numbers in --config become text)."


def _is_whole(number, definition):
    """True where `definition` takes integers and `number` is one that a float holds exactly."""
    return _takes("integer", definition) and number.is_integer() and abs(number) <= 2**53


def _takes(kind, definition):
    """True where `definition` allows values of this type."""
    branches = definition.get("anyOf", ())
    return kind in definition.get("type", ()) or any(_takes(kind, branch) for branch in branches)


def with_defaults(value, definition, schema):
    """A copy of `value`, with the defaults of `definition` for the keys it lacks."""
    definition = _definition(value, definition, schema)
    filled = copy.deepcopy(value)
    for key, entry in definition.get("properties", {}).items():
        entry = _definition(filled.get(key), entry, schema)
        if key not in filled and "default" in entry:
            filled[key] = copy.deepcopy(entry["default"])
        if isinstance(filled.get(key), dict) and "properties" in entry:
            filled[key] = with_defaults(filled[key], entry, schema)
    return filled


def _definition(value, definition, schema):
    """Follow $ref, and `if: source` (or `family`) to the definition that holds for `value`."""
    if "$ref" in definition and "properties" not in definition:
        definition = schema["$defs"][definition["$ref"].rsplit("/", 1)[1]]
    for branch in definition.get("allOf", []):
        ((key, chosen),) = branch["if"]["properties"].items()
        default = definition["properties"][key].get("default")
        if isinstance(value, dict) and value.get(key, default) == chosen["const"]:
            return schema["$defs"][branch["then"]["$ref"].rsplit("/", 1)[1]]
    return definition
