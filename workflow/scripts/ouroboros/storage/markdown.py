"""Tables in Markdown."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str, pad: bool = False) -> str:
    """A Markdown table; `align` has a character for each column, < (left) or > (right).

    A | in a cell is escaped, other Markdown is kept. With `pad`, columns line up on a terminal too.
    """
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (head, *rows)]
    widths = [max(map(len, column)) if pad else 0 for column in zip(*lines, strict=True)]
    columns = list(zip(align, widths, strict=True))
    rule = "".join("-" * (max(w, 1) + 1) + (":" if a == ">" else "-") + "|" for a, w in columns)
    head, *rows = (
        " | ".join(f"{cell:{a}{w}}" for cell, (a, w) in zip(line, columns, strict=True))
        for line in lines
    )
    return f"| {head} |\n|{rule}\n" + "".join(f"| {row} |\n" for row in rows)
