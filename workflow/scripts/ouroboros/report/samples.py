"""A few of a generation's stories, to read; and those of a lineage one below the other."""

import numpy as np


def excerpts(tokens: np.ndarray, tokenizer, count: int, length: int) -> list[str]:
    """The beginnings of the first `count` sequences (token ids (rows, tokens)), `length` tokens each.

    Sequences are independent draws, so the first ones are as good a sample as any. End-of-text
    stays visible: where it stands, the model ended a story.
    """
    return [
        tokenizer.decode(row[:length].tolist(), skip_special_tokens=False) for row in tokens[:count]
    ]


def samples_page(title: str, texts: list[str]) -> str:
    """Markdown: one quoted block per excerpt."""
    return "\n".join([f"# {title}", *(f"\n{_quote(text)}" for text in texts)]) + "\n"


def lineage_page(title: str, generations: list[tuple[str, list[str]]]) -> str:
    """Markdown in the manner of the paper's Extended Data Table 1: a table of excerpts.

    `generations` is (name, excerpts) in order; every excerpt is a row.
    """
    rows = [f"| {name} | {_cell(text)} |" for name, texts in generations for text in texts]
    return "\n".join([f"# {title}", "", "| Generation | Sample |", "|---|---|", *rows]) + "\n"


def cases_page(title: str, cases: list[tuple[str, dict, list]]) -> str:
    """Markdown in the manner of the paper's Extended Data Table 2: completions of one beginning.

    `cases`: name of the LM, its story (`beginning` and `completions`, see sampling/completions.py) and the
    grades of those completions, None where a judge's reply could not be read.
    """
    head = "| Generation | Completion | Grammar | Creativity | Consistency |\n|---|---|--:|--:|--:|"
    rows = [
        f"| {name} | {_cell(completion['text'])} | {_grades(grades)} |"
        for name, story, graded in cases
        for completion, grades in zip(story["completions"], graded, strict=True)
    ]
    beginning = _quote(cases[0][1]["beginning"])
    return "\n".join([f"# {title}", "", beginning, "", head, *rows]) + "\n"


def _grades(grades):
    names = ("grammar", "creativity", "consistency")
    return " | ".join("" if grades is None else str(grades[name]) for name in names)


def _quote(text):
    return "\n".join(f"> {_escape(line)}  " for line in text.splitlines() or [""])


def _cell(text):
    return _escape(" ".join(text.split()))


def _escape(text):
    """Keep sampled text from being read as Markdown or HTML."""
    for character in "\\`*_#[]|<>":
        text = text.replace(character, f"\\{character}")
    return text
