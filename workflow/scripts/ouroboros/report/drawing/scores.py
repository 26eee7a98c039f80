"""Figures 3 and 4 (and Extended Data Figs. 7 to 9): scores by generation, a panel for each kind."""

import math

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from ouroboros.report.drawing import REFERENCE, save

PANEL = (2.6, 2.3)  # inches
COLUMNS = 4


def draw_scores(rows: pd.DataFrame, label: str, title: str, paths: list):
    """A panel for each value of `panel`, in the order of the rows.

    `rows`: panel, generation (0: the untrained baseline, a line of reference), score (None: not
    measured), error (one standard error, or None), and guess (the score of always naming one class,
    or None).
    """
    panels = list(dict.fromkeys(rows["panel"]))
    columns = min(COLUMNS, len(panels))
    lines = math.ceil(len(panels) / columns)
    size = max(columns, 2) * PANEL[0], lines * PANEL[1] + 0.6
    with sns.axes_style("whitegrid"):
        figure, grid = plt.subplots(
            lines, columns, figsize=size, layout="constrained", squeeze=False
        )
        for axes, panel in zip(grid.flat, panels, strict=False):
            _draw_panel(axes, rows[rows["panel"] == panel], label)
            axes.set_title(panel)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        figure.suptitle(title)
        for axes in grid[:, 0]:
            axes.set_ylabel(label)
        for axes in grid[-1]:
            axes.set_xlabel("Generation")
        named = {}
        for axes in grid.flat:
            named |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(
            named.values(),
            named,
            loc="outside lower center",
            frameon=False,
            ncols=len(named) if columns > 2 else 1,
        )
        save(figure, paths)


def _draw_panel(axes, rows, label):
    rows = rows.dropna(subset="score")
    if rows.empty:
        axes.text(0.5, 0.5, "no scores", transform=axes.transAxes, ha="center", color=REFERENCE)
        axes.set(xticks=[], yticks=[])
        return
    trained = rows[rows["generation"] > 0].sort_values("generation")
    axes.errorbar(
        trained["generation"], trained["score"], yerr=trained["error"].fillna(0.0),
        color=sns.color_palette("colorblind")[0], marker="o", markersize=3, linewidth=1.2,
        elinewidth=0.8, label=label,
    )  # fmt: skip
    for score in rows.loc[rows["generation"] == 0, "score"]:
        axes.axhline(score, color=REFERENCE, linestyle="--", label="baseline")
    for guess in rows["guess"].dropna().unique():
        axes.axhline(guess, color=REFERENCE, linestyle=":", label="always the most frequent class")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
