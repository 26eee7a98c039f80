"""The numbers of a lineage as one table, from its JSON artifacts."""

COLUMNS = ("generation", "perplexity", "entropy", "OOV words")


def summary(rows: list[dict]) -> str:
    """A Markdown table, columns aligned so that it reads well on a terminal too.

    `rows`: name, perplexity, entropy, oov_words; None where a figure does not exist.
    """
    cells = [
        [
            row["name"],
            _number(row["perplexity"], "{:.2f}"),
            _number(row["entropy"], "{:.3f}"),
            _number(row["oov_words"], "{:,}"),
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]

    def line(row):
        return "| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|"
    return "\n".join([line(COLUMNS), rule, *map(line, cells)]) + "\n"


def _number(value, form):
    return "" if value is None else form.format(value)
