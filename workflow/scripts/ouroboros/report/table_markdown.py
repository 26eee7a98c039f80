"""A table as Markdown, columns aligned so that it reads well on a terminal too."""

from ouroboros.report.tables import Table


def markdown(table: Table) -> str:
    """The head's names and the rows, every cell aligned to the right."""
    names = [name for name, _ in table.head]
    widths = [max(map(len, column)) for column in zip(names, *table.rows, strict=True)]

    def line(row):
        return "| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|"
    return "\n".join([line(names), rule, *map(line, table.rows)]) + "\n"
