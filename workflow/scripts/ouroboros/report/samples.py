"""Sampled stories, to read: of one generation, of a lineage, and with the judge's grades."""

import numpy as np

from ouroboros.metrics.gpt_eval.declaration import GRADED
from ouroboros.storage.markdown import table


def excerpts(tokens: np.ndarray, tokenizer, count: int, length: int) -> list[str]:
    """The beginnings of the first `count` sequences, as texts of `length` tokens each.

    `tokens`: token ids (rows, tokens). Sequences are independent draws, so the first ones are as good
    a sample as any. End-of-text stays visible: where it stands, the model ended a story.
    """
    return [
        tokenizer.decode(row[:length].tolist(), skip_special_tokens=False) for row in tokens[:count]
    ]


def samples_page(title: str, texts: list[str]) -> str:
    """Markdown: one quoted paragraph per excerpt."""
    return "\n".join([f"# {title}", *(f"\n{_quote(text)}" for text in texts)]) + "\n"


def lineage_page(title: str, generations: list[tuple[str, list[str]]]) -> str:
    """Markdown like the paper's Extended Data Table 1: a table with a row for each excerpt.

    `generations`: name and excerpts of each generation, in order.
    """
    rows = [(name, _cell(text)) for name, texts in generations for text in texts]
    return f"# {title}\n\n" + table(("Generation", "Sample"), rows, "<<")


def cases_page(title: str, cases: list[tuple[str, dict, list]]) -> str:
    """Markdown like the paper's Extended Data Table 2: completions of one beginning, with grades.

    `cases`: name of the LM, its story (`beginning` and `completions`, see sampling/completions.py), and
    the grades of each completion, None where the judge's reply could not be read.
    """
    rows = [
        (name, _cell(completion["text"]), *(str(grades[key]) if grades else "" for key in GRADED))
        for name, story, graded in cases
        for completion, grades in zip(story["completions"], graded, strict=True)
    ]
    head = ("Generation", "Completion", *map(str.capitalize, GRADED))
    beginning = _quote(cases[0][1]["beginning"])
    return f"# {title}\n\n{beginning}\n\n" + table(head, rows, "<<>>>")


def _quote(text):
    lines = _escape(text).replace("|", "\\|").splitlines()
    return "\n".join(f"> {line}  " for line in lines or [""])


def _cell(text):
    return _escape(" ".join(text.split()))


def _escape(text):
    """Keep sampled text from being read as Markdown or HTML; | is left to the table."""
    for character in "\\`*_#[]<>":
        text = text.replace(character, f"\\{character}")
    return text
