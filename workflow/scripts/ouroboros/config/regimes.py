"""The regimes as the configuration knows them: names with settings."""

import functools
from types import ModuleType

from ouroboros.config.declared import declared


@functools.cache
def regimes() -> dict[str, ModuleType]:
    """Regimes by name; ouroboros.pipeline.regimes says what one has."""
    return declared("pipeline.regimes")


def with_named_regimes(config: dict) -> dict:
    """The configuration with `regime: mix` written as `regime: {name: mix}`."""
    lineages = config.get("lineages")
    if not isinstance(lineages, dict):
        return config
    named = {
        name: {**entry, "regime": {"name": entry["regime"]}}
        if isinstance(entry, dict) and isinstance(entry.get("regime"), str)
        else entry
        for name, entry in lineages.items()
    }
    return {**config, "lineages": named}


def settle_regime(where: str, lineage: dict):
    """Split a lineage's `regime`, in place, into its name and `regime_settings`, and check these.

    What is not set is left out: a rule's params, and what lineages are compared by, are then those of
    results made before there were settings.
    """
    settings = dict(lineage["regime"])
    lineage["regime"] = settings.pop("name")
    if check := getattr(regimes()[lineage["regime"]], "check", None):
        check(f"{where}.regime", lineage, settings)
    settings = {key: value for key, value in settings.items() if value is not None}
    if getattr(regimes()[lineage["regime"]], "QUIRKS", False):
        lineage["training"] = {**lineage["training"], "quirks": True}
    if settings:
        lineage["regime_settings"] = settings
    if lineage["initial_sequences"] is None:
        del lineage["initial_sequences"]


def add_regimes(definitions: dict):
    """Complete the schema's definitions, in place: a lineage's regime has the settings of its module."""
    regime = definitions["regime"]
    sentences = {name: of.__doc__.strip().splitlines()[0] for name, of in regimes().items()}
    regime["properties"]["name"]["enum"] = list(sentences)
    regime["description"] = " ".join(
        [regime["description"], *(f"{name}: {sentence}" for name, sentence in sentences.items())]
    )
    regime["allOf"] = []
    for name, module in regimes().items():
        chosen = {"properties": {"name": {"const": name}}, "required": ["name"]}
        regime["allOf"].append({"if": chosen, "then": {"$ref": f"#/$defs/{name}_regime"}})
        definitions[f"{name}_regime"] = {
            "description": sentences[name],
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "name": {"const": name, "description": "The regime."},
                **getattr(module, "SETTINGS", {}),
            },
        }
