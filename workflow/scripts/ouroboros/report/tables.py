"""The tables of the report: a lineage's measurements by generation, as cells of text."""

from typing import NamedTuple

from ouroboros.findings.results import look_up
from ouroboros.pipeline import declarations

FIRST = 5  # tokens shown of a list of frequent ones


class Table(NamedTuple):
    """`head`: (name, meaning) of each column; `rows`: cells, of which the first names the row."""

    head: list[tuple[str, str]]
    rows: list[list[str]]


def numbers(measured: dict[str, dict]) -> Table:
    """The numbers of every metric that all LMs or corpora have; `measured`: a lineage's artifacts by
    LM (see findings/results.py).
    """
    fields = [
        (f"{name}.", field)
        for name, metric in declarations.metrics().items()
        if hasattr(metric, "INPUTS")
        for field in metric.FIELDS
    ]
    return _table(fields, measured, in_order(measured))


def gpt_eval(measured: dict[str, dict]) -> Table | None:
    """The judge's grades of the LMs that it graded; None where there are none."""
    fields = [("gpt_eval.", field) for field in declarations.metrics()["gpt_eval"].FIELDS]
    lms = [lm for lm in in_order(measured) if "gpt_eval" in measured[lm]]
    return _table(fields, measured, lms) if lms else None


def classification(measured: dict[str, dict], score: str) -> Table | None:
    """A column for each task; `score` is accuracy or weighted_f1. None where there are no tasks."""
    lms = [lm for lm in in_order(measured) if "classification" in measured[lm]]
    tasks = list(dict.fromkeys(task for lm in lms for task in measured[lm]["classification"]))
    declared = declarations.metrics()["classification"].FIELDS
    field = next(field for field in declared if field.key == score)
    fields = []
    for task in tasks:
        first = next(found[task] for lm in lms if task in (found := measured[lm]["classification"]))
        always = f"always “{first['majority']['class']}”: {first['majority'][score]:.3f}"
        fields.append((f"classification.{task}.", field._replace(label=task, meaning=always)))
    return _table(fields, measured, lms) if tasks else None


def summary(measured: dict[str, dict]) -> Table:
    """The few numbers of table.md, of the baseline and of all generations."""
    fields = [
        (f"{name}.", field._replace(form=field.in_summary, error=""))
        for name, metric in declarations.metrics().items()
        for field in metric.FIELDS
        if field.in_summary
    ]
    return _table(fields, measured, in_order(measured))


def made_with(measured: dict[str, dict]) -> Table:
    """What made the artifacts, kind by kind: how many, on which devices, with which versions."""
    head = [
        ("kind", ""), ("files", ""), ("device", ""), ("seed", ""), ("ouroboros", ""), ("commit", ""),
        ("torch", ""), ("transformers", ""), ("python", ""),
    ]  # fmt: skip
    blocks = {}
    for artifacts in measured.values():
        for kind, found in artifacts.items():
            every = found.values() if kind == "classification" else [found]
            blocks.setdefault(kind, []).extend(artifact["provenance"] for artifact in every)
    rows = []
    for kind, made in blocks.items():
        versions = [block["versions"] for block in made]
        rows.append(
            [
                kind, str(len(made)), _different(block["device"] for block in made),
                _different(block["seed"] for block in made),
                *(_different(version[name] for version in versions) for name, _ in head[4:]),
            ]
        )  # fmt: skip
    return Table(head, rows)


def in_order(measured: dict[str, dict]) -> list[str]:
    """The LMs: the baseline, then the generations by number."""
    return sorted(measured, key=lambda lm: -1 if lm == "baseline" else int(lm.removeprefix("gen")))


def _table(fields, measured, lms):
    """`fields`: (where its artifact stands, with a dot at the end; Field) for each column."""
    head = [("generation", ""), *((field.label, field.meaning) for _, field in fields)]
    cells = [[_cell(where, field, measured[lm]) for where, field in fields] for lm in lms]
    return Table(head, [[lm.removeprefix("gen"), *row] for lm, row in zip(lms, cells, strict=True)])


def _cell(where, field, artifacts):
    value = look_up(artifacts, where + field.key)
    if value is None:
        return ""
    if not field.form:
        return " ".join(repr(token) for token, _ in value[:FIRST])
    error = look_up(artifacts, where + field.error) if field.error else None
    if error is not None and field.relative_error:
        error *= value
    return field.form.format(value) + ("" if error is None else f" ± {field.form.format(error)}")


def _different(values):
    return ", ".join(dict.fromkeys(str(value) for value in values))
