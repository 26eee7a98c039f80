"""Extended Data Fig. 5: which LMs there are, and what each is made from and tested by."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from ouroboros.report.drawing import save

BOX = (1.5, 0.52)  # width and height, inches
ROW, COLUMN = 0.95, 2.15  # from box to box


def draw_schematic(lineage: str, generations: int, mark: str, tests: list[str], paths: list):
    """The lineage as boxes: corpora above, LMs below each, tests at the bottom.

    Thick arrows are the recursion: text that is sampled, and that the next generation is trained on;
    dotted ones are tests. `mark` stands beside an arrow into a generation that is trained on more.
    Of many generations the first two and the last are shown.
    """
    shown = [1, 2, generations] if generations > 3 else list(range(1, generations + 1))
    figure, axes = plt.subplots(layout="constrained")
    columns = len(shown) + 1
    corpus, lm, test = 2 * ROW, ROW, 0.0
    text = "\n".join(tests)
    height = 0.2 * len(tests) + 0.25
    _box(axes, 0, corpus, "initial corpus\n(gen0)", "0.85")
    _box(axes, 0, lm, "untrained LM\n(baseline)", "white")
    for column, n in enumerate(shown, start=1):
        skipped = column > 1 and n > shown[column - 2] + 1
        _box(axes, column, lm, f"LM of\ngeneration {n}", "white")
        _box(axes, column, corpus, f"corpus of\ngeneration {n}", "0.85")
        style = "--" if skipped else "-"
        _arrow(axes, (column - 1, corpus), (column, lm), linewidth=2.6, linestyle=style)
        if mark and column > 1:
            middle = COLUMN * (column - 0.5), (corpus + lm) / 2
            axes.text(*middle, mark, ha="center", fontsize=7, backgroundcolor="white")
        _arrow(axes, (column, lm), (column, corpus), linewidth=2.6)
        if skipped:
            axes.text(COLUMN * (column - 0.5), corpus, "...", ha="center", fontsize=16)
    for column in range(columns):
        _arrow(axes, (column, lm), (column, test), linestyle=":")
        _box(axes, column, test, text, "0.96", height)
    low = test - height + BOX[1] / 2 - 0.1
    axes.set(xlim=(-BOX[0] * 0.6, COLUMN * (columns - 1) + BOX[0] * 0.6), ylim=(low, corpus + 0.6))
    axes.set_axis_off()
    axes.set_title(
        f"{lineage}. Thick: text, on which an LM is trained from random weights. Dotted: tests.",
        fontsize=9,
    )
    figure.set_size_inches(COLUMN * columns, corpus - low + 1.0)
    save(figure, paths)


def _box(axes, column, y, text, colour, height=BOX[1]):
    left, bottom = COLUMN * column - BOX[0] / 2, y + BOX[1] / 2 - height
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom), BOX[0], height, boxstyle="round,pad=0.03", facecolor=colour,
            edgecolor="0.2", zorder=2,
        )
    )  # fmt: skip
    axes.text(
        left + BOX[0] / 2, bottom + height / 2, text, ha="center", va="center", fontsize=8, zorder=3
    )


def _arrow(axes, start, end, **style):
    """Draw an arrow between the edges of two boxes; `start`, `end`: (column, y) of their centres."""
    (from_column, from_y), (to_column, to_y) = start, end
    x, y = COLUMN * from_column, COLUMN * to_column
    if from_column == to_column:
        side = 1 if to_y > from_y else -1
        ends = (x, from_y + side * BOX[1] / 2), (y, to_y - side * BOX[1] / 2)
    else:
        ends = (x + BOX[0] / 2, from_y - 0.1), (y - BOX[0] / 2, to_y + 0.15)
    style = {"color": "0.2", "linewidth": 1.2, **style}
    axes.annotate(
        "", xy=ends[1], xytext=ends[0],
        arrowprops={"arrowstyle": "->", "shrinkA": 3, "shrinkB": 3, **style}, zorder=1,
    )  # fmt: skip
