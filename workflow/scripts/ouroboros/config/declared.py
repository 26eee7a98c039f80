"""Declarations, found by listing the folder of a package: adding one is adding a file or a folder."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

LIBRARY = Path(__file__).parents[1]


def declared(package: str) -> dict[str, ModuleType]:
    """The declarations in a package (`pipeline.regimes`), by name: its modules, and `declaration.py`
    of its folders.
    """
    return {name: importlib.import_module(module) for name, module in _listed(package)}


def _listed(package: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(Path(LIBRARY, *package.split(".")).iterdir()):
        if (entry / "declaration.py").is_file():
            yield entry.name, f"ouroboros.{package}.{entry.name}.declaration"
        elif entry.suffix == ".py" and entry.stem != "__init__":
            yield entry.stem, f"ouroboros.{package}.{entry.stem}"
