"""The model families as the configuration knows them: by their declarations."""

import functools
from types import ModuleType

from ouroboros.config.declared import declared

DEFAULT = "gpt_neo"  # of an entry of `models` that names no family


@functools.cache
def families() -> dict[str, ModuleType]:
    """The declaration of every family, by its name; ouroboros.model.families says what it has."""
    return declared("model.families")


def declaration(model: dict) -> ModuleType:
    """The declaration of the family of a model (a resolved entry of `models`)."""
    return families()[model.get("family", DEFAULT)]


def is_counted(model: dict) -> bool:
    """Tell whether a model (a resolved entry of `models`) is trained by counting."""
    return getattr(declaration(model), "COUNTED", False)


def add_families(definitions: dict):
    """Complete the schema's definitions, in place: an entry of `models` has the keys of its family."""
    model = definitions["model"]
    model["properties"]["family"] |= {"enum": list(families()), "default": DEFAULT}
    model["allOf"] = []
    for name, family in families().items():
        chosen = {"properties": {"family": {"const": name}}}
        if name != DEFAULT:
            chosen["required"] = ["family"]
        model["allOf"].append({"if": chosen, "then": {"$ref": f"#/$defs/{name}_model"}})
        key = {"family": {"const": name, "description": family.__doc__.splitlines()[0]}}
        definitions[f"{name}_model"] = {
            "type": "object",
            "additionalProperties": False,
            **family.SCHEMA,
            "properties": key | family.SCHEMA["properties"],
        }
