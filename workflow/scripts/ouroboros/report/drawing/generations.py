"""Figures 1 and 2 (and Extended Data Fig. 6): perplexity, entropy and OOV words by generation."""

import itertools
import re

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from ouroboros.report.drawing import REFERENCE, SIZE, save

# Of lineages that are compared: four dashes and five markers, so that twenty have each a pair of its own.
STYLES = [
    {"color": color, "linestyle": linestyle, "marker": marker}
    for color, linestyle, marker in zip(
        sns.color_palette("colorblind") * 2, ("-", "--", ":", "-.") * 5, "oXsPD" * 4, strict=True
    )
]
MANY = 6  # lines whose names are below the picture, so that they hide none
LONG = 20  # generations that each have a marker; of more, some
WIDE = 20  # values whose largest is so many times the smallest are drawn by their logarithms


def draw_by_generation(rows: pd.DataFrame, label: str, references: dict[str, float], paths: list):
    """Figure 1: a line for each lineage, with a band. `rows`: lineage, generation, value, error (one standard
    error, or 0). `references`: values that a dotted line stands for, by name.
    """
    with sns.axes_style("whitegrid"):
        figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
        groups = rows.groupby("lineage", sort=False)
        for (lineage, part), style in zip(groups, itertools.cycle(STYLES), strict=False):
            axes.errorbar(
                part["generation"], part["value"], yerr=part["error"], label=lineage,
                ecolor="none", markeredgecolor="white", markevery=1 + len(part) // LONG, **style,
            )  # fmt: skip
            axes.fill_between(
                part["generation"], part["value"] - part["error"], part["value"] + part["error"],
                color=style["color"], alpha=0.2,
            )  # fmt: skip
        for name, value in references.items():
            axes.axhline(value, color=REFERENCE, linestyle=":", label=name)
        axes.set(xlabel="Generation", ylabel=label)
        if 0 < WIDE * rows["value"].min() < rows["value"].max():
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(ScalarFormatter())
        else:
            axes.set_ylim(0, None)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(groups) > MANY:
            figure.legend(loc="outside lower center", ncols=4, frameon=False)
        else:
            axes.legend(title=None)
        save(figure, paths)


def means_over_seeds(rows: pd.DataFrame, setups: list[list[str]]) -> pd.DataFrame:
    """The rows (see draw_by_generation) of lineages that differ by their seeds alone as one: means, and standard deviations as errors."""
    parts = []
    for names in setups:
        own = rows[rows["lineage"].isin(names)]
        if len(names) > 1:
            of = own.groupby("generation")["value"]
            name = without_seed(names[0])
            own = pd.DataFrame(
                {"lineage": name, "value": of.mean(), "error": of.std()}
            ).reset_index()
        parts.append(own)
    return pd.concat(parts, ignore_index=True)


def without_seed(lineage: str) -> str:
    """The name that a lineage's entry has where `seeds` makes several of it."""
    return re.sub(r"-s\d+$", "", lineage)


def draw_entropy_and_oov(rows: pd.DataFrame, title: str, paths: list):
    """Figure 2, and a second count of OOV words below it, which is often many times the paper's.

    `rows`: generation, entropy (nats), entropy_error (one standard error, or 0), oov_words (the paper's
    count), all_oov_words; generation 0 is the initial corpus.
    """
    with sns.axes_style("ticks"):
        figure, (left, below) = plt.subplots(
            2,
            figsize=(SIZE[0], 1.4 * SIZE[1]),
            height_ratios=(2, 1),
            sharex=True,
            layout="constrained",
        )
        right = left.twinx()
        sampled = rows[rows["generation"] > 0]
        initial = rows[rows["generation"] == 0]
        right.bar(sampled["generation"], sampled["oov_words"], color="0.8", label="OOV words")
        below.bar(
            sampled["generation"], sampled["all_oov_words"], color="0.8", label="All OOV words"
        )
        left.errorbar(
            sampled["generation"], sampled["entropy"], yerr=sampled["entropy_error"],
            color=sns.color_palette("colorblind")[0], marker="o", label="Entropy",
        )  # fmt: skip
        for entropy in initial["entropy"]:
            left.axhline(
                entropy, color=REFERENCE, linestyle=":", label="Entropy of the initial corpus"
            )
        left.set(ylabel="Entropy (nats per token)", title=title)
        below.set(xlabel="Generation", ylabel="All OOV words,\nof one token too", ylim=(0, None))
        right.set(ylabel="OOV words", ylim=(0, None))
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set_zorder(right.get_zorder() + 1)  # the line in front of the bars
        left.patch.set_visible(False)
        (lines, line_names), (bars, bar_names) = (
            axes.get_legend_handles_labels() for axes in (left, right)
        )
        figure.legend(
            lines + bars, line_names + bar_names, loc="outside lower center", ncols=3, frameon=False
        )
        save(figure, paths)
