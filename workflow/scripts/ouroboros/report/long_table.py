"""All measurements of a group as one long table, for programs: a row per lineage, generation and number.

docs/artifacts.md describes its columns.
"""

import pandas as pd

from ouroboros.findings.results import look_up
from ouroboros.pipeline import declarations
from ouroboros.report.tables import in_order

COLUMNS = ("lineage", "seed", "generation", "metric", "value", "standard_error", "count")


def long_table(measured: dict[str, dict], settings: dict[str, dict]) -> pd.DataFrame:
    """COLUMNS, and a column for each setting that is not the same in all lineages.

    `measured`: lineage -> its artifacts by LM. `settings`: lineage -> its resolved settings. `generation` is
    missing for the baseline, and 0 is the initial corpus. `metric` is artifact and key, "ppl.perplexity".
    `count`: the tokens, words, stories or examples that the number is of.
    """
    differing = differences(settings)
    rows = [
        {"lineage": name, "seed": settings[name]["seed"], "generation": _generation(lm), **number, **differing[name]}
        for name, lms in measured.items()
        for lm in in_order(lms)
        for number in _numbers(lms[lm])
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=[*COLUMNS, *next(iter(differing.values()))])
    return table.astype({"generation": "Int64", "count": "Int64", "standard_error": float})


def differences(settings: dict[str, dict]) -> dict[str, dict]:
    """Lineage -> the settings that are not the same in all, "model.hidden_size" -> value.

    A list stands as text; a setting that a lineage has not is missing.
    """
    flat = {name: dict(_flat(of)) for name, of in settings.items()}
    keys = dict.fromkeys(key for of in flat.values() for key in of if key != "seed")
    kept = [key for key in keys if len({repr(of.get(key)) for of in flat.values()}) > 1]
    return {name: {key: of.get(key) for key in kept} for name, of in flat.items()}


def _flat(settings, place=""):
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", str(value) if isinstance(value, list) else value


def _generation(lm):
    return None if lm == "baseline" else int(lm.removeprefix("gen"))


def _numbers(artifacts):
    for name, metric in declarations.metrics().items():
        found = artifacts.get(name)
        if found is None:
            continue
        of_tasks = (
            {f"{name}.{task}": of for task, of in found.items()}
            if name == "classification"
            else {name: found}
        )
        for place, artifact in of_tasks.items():
            for field in metric.FIELDS:
                value = look_up(artifact, field.key)
                if isinstance(value, int | float):
                    yield {
                        "metric": f"{place}.{field.key}",
                        "value": float(value),
                        "standard_error": field.error(artifact) if field.error else None,
                        "count": artifact.get(getattr(metric, "COUNT", None)),
                    }
