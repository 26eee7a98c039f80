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

    `measured`: lineage -> its artifacts by LM. `settings`: lineage -> its `seed` and the settings in which
    lineages differ (pipeline.reports.differences). `generation` is
    missing for the baseline, and 0 is the initial corpus. `metric` is artifact and key, "ppl.perplexity".
    `count`: the tokens, words, stories or examples that the number is of.
    """
    rows = [
        {"lineage": name, "generation": _generation(lm), **number, **settings[name]}
        for name, lms in measured.items()
        for lm in in_order(lms)
        for number in _numbers(lms[lm])
    ]
    others = [key for key in next(iter(settings.values())) if key != "seed"]
    table = pd.DataFrame(rows, columns=[*COLUMNS, *others])
    return table.astype({"generation": "Int64", "count": "Int64", "standard_error": float})


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
