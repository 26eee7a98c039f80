"""The tables of the report: a lineage's measurements by generation, as cells of text."""

from typing import NamedTuple

from ouroboros.findings.results import look_up
from ouroboros.metrics.gpt_eval.grades import NAMES


class Column(NamedTuple):
    """`keys`: where the number stands (see findings/results.py); `error`: where its standard error does."""

    name: str
    meaning: str
    keys: str
    form: str
    error: str = ""


class Table(NamedTuple):
    """`head`: (name, meaning) of each column; `rows`: cells, of which the first names the row."""

    head: list[tuple[str, str]]
    rows: list[list[str]]


NUMBERS = [
    Column("perplexity", "on the validation set", "ppl.perplexity", "{:,.2f}", "ppl.standard_error"),
    Column("entropy", "of token frequencies, nats", "text.entropy", "{:.3f}"),
    Column("OOV words", "words outside the lexicon", "text.oov_words", "{:,}"),
    Column("distinct tokens", "in the corpus", "text.distinct_tokens", "{:,}"),
    Column("rep-4", "4-grams repeated in a sequence", "text.rep_4", "{:.1%}"),
    Column("in runs", "tokens in runs of a repeated unit", "text.run_share", "{:.2%}"),
    Column("rare tokens left", "of the initial corpus", "text.tail.surviving", "{:.1%}"),
    Column("drift of tokens", "KL(initial || generated), nats", "text.unigram_divergence.lost", "{:.4f}"),
    Column("drift of pairs", "the same, of pairs", "text.bigram_divergence.lost", "{:.4f}"),
]  # fmt: skip


def numbers(measured: dict[str, dict]) -> Table:
    """Perplexity and the text's statistics; `measured` is a lineage's (see findings/results.py)."""
    return _table(NUMBERS, measured, in_order(measured))


def gpt_eval(measured: dict[str, dict]) -> Table | None:
    """The judge's grades of the LMs that it graded; None where there are none."""
    columns = [
        Column(name, "mean grade, 0 to 9", f"gpt_eval.{name}.mean", "{:.2f}", f"gpt_eval.{name}.standard_error")
        for name in NAMES
    ]  # fmt: skip
    columns += [
        Column("graded", "completions with grades", "gpt_eval.graded", "{:,}"),
        Column("unparsed", "replies that could not be read", "gpt_eval.unparsed", "{:,}"),
    ]
    lms = [lm for lm in in_order(measured) if "gpt_eval" in measured[lm]]
    return _table(columns, measured, lms) if lms else None


def classification(measured: dict[str, dict], metric: str) -> Table | None:
    """A column for each task; `metric` is accuracy or weighted_f1. None where there are no tasks."""
    lms = [lm for lm in in_order(measured) if "classification" in measured[lm]]
    tasks = list(dict.fromkeys(task for lm in lms for task in measured[lm]["classification"]))
    error = "standard_error" if metric == "accuracy" else ""
    columns = []
    for task in tasks:
        first = next(found[task] for lm in lms if task in (found := measured[lm]["classification"]))
        where = f"classification.{task}."
        always = f"always “{first['majority']['class']}”: {first['majority'][metric]:.3f}"
        columns.append(Column(task, always, where + metric, "{:.3f}", error and f"{where}{error}"))
    return _table(columns, measured, lms) if tasks else None


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


def _table(columns, measured, lms):
    head = [("generation", ""), *((column.name, column.meaning) for column in columns)]
    return Table(
        head,
        [[lm.removeprefix("gen"), *(_cell(column, measured[lm]) for column in columns)] for lm in lms],
    )  # fmt: skip


def _cell(column, artifacts):
    value = look_up(artifacts, column.keys)
    if value is None:
        return ""
    error = look_up(artifacts, column.error) if column.error else None
    if error is not None and column.keys == "ppl.perplexity":
        error *= value  # the artifact has the error of the mean loss (delta method)
    return column.form.format(value) + ("" if error is None else f" ± {column.form.format(error)}")


def _different(values):
    return ", ".join(dict.fromkeys(str(value) for value in values))
