"""From a long table (report/long_table.py) to what is drawn of one of its metrics."""

import pandas as pd

from ouroboros.errors import UserError
from ouroboros.pipeline import declarations
from ouroboros.report.drawing.generations import means_over_seeds, without_seed


def one_metric(table: pd.DataFrame, metric: str) -> tuple[pd.DataFrame, str, dict[str, float]]:
    """One metric of a long table as `draw_by_generation` takes it: rows, label, references.

    Seeds are drawn as their mean. The reference is the initial corpus's value, where it has one. Raises
    UserError where the table has no such metric.
    """
    found = table[table["metric"] == metric]
    if found.empty:
        known = ", ".join(sorted(table["metric"].unique()))
        raise UserError(f"there is no metric {metric} in it. It has {known}.")
    rows = found[found["generation"] > 0].rename(columns={"standard_error": "error"})
    rows = rows[["lineage", "generation", "value", "error"]].fillna({"error": 0.0})
    setups = (
        rows["lineage"].drop_duplicates().groupby(rows["lineage"].map(without_seed), sort=False)
    )
    rows = means_over_seeds(rows, [[*names] for _, names in setups])
    initial = found[found["generation"] == 0]["value"]
    references = {} if initial.empty else {"initial corpus": initial.mean()}
    return rows, _label(metric), references


def _label(metric):
    artifact, _, key = metric.partition(".")
    for field in getattr(declarations.metrics().get(artifact), "FIELDS", ()):
        if key == field.key or key.endswith(f".{field.key}"):
            return f"{field.label} {field.meaning}".strip().capitalize()
    return metric.replace("_", " ").capitalize()
