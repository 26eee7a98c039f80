"""The tables of the report: a lineage's measurements by generation, as cells of text."""

from typing import NamedTuple

from ouroboros.findings.results import look_up
from ouroboros.pipeline import declarations
from ouroboros.storage import markdown

TIMES = (1.5, 2, 4)  # thresholds of perplexity
FIRST = 5  # entries shown of a list of frequent tokens or words


class Table(NamedTuple):
    """`head`: (name, meaning) of each column; `rows`: cells, of which the first names the row."""

    head: list[tuple[str, str]]
    rows: list[list[str]]

    def markdown(self) -> str:
        """The names and the rows, aligned to the right."""
        names = [name for name, _ in self.head]
        return markdown.table(names, self.rows, ">" * len(names), pad=True)


def numbers(measured: dict[str, dict]) -> dict[str, Table]:
    """The metrics of every LM or corpus: a table for each `heading` of their fields ("": none).

    `measured`: a lineage's artifacts by LM (see findings/results.py).
    """
    parts = {}
    for name, metric in declarations.metrics().items():
        if hasattr(metric, "INPUTS"):
            for field in metric.FIELDS:
                parts.setdefault(field.heading, []).append((name, field))
    return {heading: _table(fields, measured) for heading, fields in parts.items()}


def gpt_eval(measured: dict[str, dict]) -> Table | None:
    """The judge's grades of the LMs that it graded; None where there are none."""
    fields = [("gpt_eval", field) for field in declarations.metrics()["gpt_eval"].FIELDS]
    table = _table(fields, measured)
    return table if table.rows else None


def classification(measured: dict[str, dict], score: str) -> Table | None:
    """A column for each task; `score` is accuracy or weighted_f1. None where there are no tasks."""
    majorities = {
        task: scores["majority"]
        for lm in in_order(measured)
        for task, scores in measured[lm].get("classification", {}).items()
    }
    declared = declarations.metrics()["classification"].FIELDS
    field = next(field for field in declared if field.key == score)
    fields = []
    for task, majority in majorities.items():
        always = f"always “{majority['class']}”: {majority[score]:.3f}"
        fields.append((f"classification.{task}", field._replace(label=task, meaning=always)))
    return _table(fields, measured) if fields else None


def summary(measured: dict[str, dict]) -> Table:
    """The few numbers of table.md, of the baseline and of all generations."""
    fields = [
        (name, field._replace(form=field.in_summary, error=None))
        for name, metric in declarations.metrics().items()
        for field in metric.FIELDS
        if field.in_summary
    ]
    return _table(fields, measured)


def side_by_side(measured: dict[str, dict[str, dict]], differing: dict[str, dict]) -> Table:
    """A row for each lineage: the settings that are not the same in all, perplexity at both ends, and the first
    generation at which it is so many TIMES that of generation 1 ("-": none).

    `measured`: by lineage. `differing`: see long_table.differences.
    """
    keys = list(next(iter(differing.values())))
    head = [
        ("lineage", ""), *((key, "") for key in keys), ("first", "perplexity of generation 1"),
        ("last", "perplexity of the last generation"),
        *((f"{times:g} times", "generation") for times in TIMES),
    ]  # fmt: skip
    rows = []
    for name, lms in measured.items():
        series = [
            (lm.removeprefix("gen"), look_up(lms[lm], "ppl.perplexity"))
            for lm in in_order(lms)
            if lm not in ("baseline", "gen0")
        ]
        first, last = series[0][1], series[-1][1]
        crossed = (
            next((n for n, value in series if value >= times * first), "-") for times in TIMES
        )
        own = ("" if differing[name][key] is None else str(differing[name][key]) for key in keys)
        rows.append([name, *own, f"{first:,.2f}", f"{last:,.2f}", *crossed])
    return Table(head, rows)


def definitions(verdicts: list[dict]) -> Table:
    """A row for each lineage, a column for each definition of collapse: whether it holds (findings/profile.py)."""
    of_one = [of for of in verdicts if len(of["lineages"]) == 1]
    columns = {of["id"]: of["definition"].split(":")[0] for of in of_one}
    found = {(of["lineages"][0], of["id"]): of["verdict"] for of in of_one}
    rows = [
        [lineage, *(found.get((lineage, name), "") for name in columns)]
        for lineage in dict.fromkeys(lineage for lineage, _ in found)
    ]
    return Table([("lineage", ""), *columns.items()], rows)


def made_with(measured: dict[str, dict]) -> Table:
    """The provenance of the artifacts by kind: how many files, their devices, seeds and versions."""
    head = [
        ("kind", ""), ("files", ""), ("device", ""), ("seed", ""), ("ouroboros", ""), ("commit", ""),
        ("torch", ""), ("transformers", ""), ("python", ""),
    ]  # fmt: skip
    by_kind = {}
    for artifacts in measured.values():
        for kind, found in artifacts.items():
            every = found.values() if kind == "classification" else [found]
            by_kind.setdefault(kind, []).extend(artifact["provenance"] for artifact in every)
    rows = []
    for kind, records in by_kind.items():
        versions = [record["versions"] for record in records]
        rows.append(
            [
                kind, str(len(records)), _distinct(record["device"] for record in records),
                _distinct(record["seed"] for record in records),
                *(_distinct(version[name] for version in versions) for name, _ in head[4:]),
            ]
        )  # fmt: skip
    return Table(head, rows)


def in_order(measured: dict[str, dict]) -> list[str]:
    """The LMs: the baseline, then the generations by number."""
    return sorted(measured, key=lambda lm: -1 if lm == "baseline" else int(lm.removeprefix("gen")))


def _table(fields, measured):
    """A row for each LM that has any of `fields`: (place of the artifact, "ppl"; Field) by column."""
    head = [("generation", ""), *((field.label, field.meaning) for _, field in fields)]
    rows = []
    for lm in in_order(measured):
        cells = [_cell(where, field, measured[lm]) for where, field in fields]
        if any(cells):
            rows.append([lm.removeprefix("gen"), *cells])
    return Table(head, rows)


def _cell(where, field, artifacts):
    artifact = look_up(artifacts, where) or {}
    value = look_up(artifact, field.key)
    if value is None:
        return ""
    if not field.form:
        return " ".join(repr(entry)[1:-1].replace(" ", "␣") for entry, _ in value[:FIRST])
    error = field.error(artifact) if field.error else None
    return field.form.format(value) + ("" if error is None else f" ± {field.form.format(error)}")


def _distinct(values):
    return ", ".join(dict.fromkeys(str(value) for value in values))
