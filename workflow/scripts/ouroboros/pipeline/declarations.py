"""Ideas found by listing a folder: regimes, metrics, figures. Adding one is adding a file.

A declaration is a module that imports nothing heavy, since the Snakefile reads it; its docstring
says in a sentence what it declares. docs/extending.md shows one of each.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import yaml

from ouroboros.config.declared import declared
from ouroboros.config.families import add_families
from ouroboros.config.regimes import add_regimes

# Every job reads the schema again: libyaml, where PyYAML has it, takes a sixth of the time.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Field(NamedTuple):
    """A number in the artifact of a metric, as tables and reports show it.

    `key`: where it stands ("entropy", "tail.surviving"). `form`: a format, "{:.3f}"; empty for a list of
    [token, share] or [word, count], whose first entries are shown. `error`: its standard error, from the
    artifact, or None. `in_summary`: its format in table.md, where it stands there. `heading`: that of its
    table in the report, "" for the first.
    """

    key: str
    label: str
    meaning: str
    form: str
    error: Callable[[dict], float | None] | None = None
    in_summary: str = ""
    heading: str = ""


def metrics() -> dict[str, ModuleType]:
    """Metrics by name, in the order in which tables show them."""
    found = declared("metrics")
    return dict(sorted(found.items(), key=lambda entry: entry[1].ORDER))


def figures() -> dict[str, ModuleType]:
    """Figures by name, in the order of the report."""
    found = declared("report.figures")
    return dict(sorted(found.items(), key=lambda entry: entry[1].ORDER))


def read_schema(root: Path) -> dict:
    """The configuration's schema of the workflow in `root`, with the keys of what is declared (`complete`)."""
    text = (root / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    return complete(yaml.load(text, _Loader))


def complete(schema: dict) -> dict:
    """A copy of the configuration's schema with the keys of what is declared.

    A lineage's `regime` has the settings of its module; a metric's SETTINGS become keys of `evaluation`, and
    its RESOURCES, defaults, a rule of `resources`. A model has the keys of its family.
    """
    schema = copy.deepcopy(schema)
    definitions = schema["$defs"]
    add_regimes(definitions)
    for name, metric in metrics().items():
        definitions["evaluation"]["properties"] |= getattr(metric, "SETTINGS", {})
        if resources := getattr(metric, "RESOURCES", None):
            kind = "batch_job" if "batch" in resources else "job"
            job = copy.deepcopy(definitions[kind])
            del job["required"]
            for key, default in resources.items():
                job["properties"][key]["default"] = default
            definitions["resources"]["properties"][name] = {**job, "default": {}}
    add_families(definitions)
    return schema
