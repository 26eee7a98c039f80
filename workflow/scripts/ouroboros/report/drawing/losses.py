"""Distribution of the token losses by generation (see metrics/ppl/loss_distribution.py)."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from ouroboros.report.drawing import REFERENCE, SIZE, save

MOST_LINES = 8


def draw_losses(histograms: dict[str, dict], title: str, paths: list):
    """Share of the validation tokens by their loss, a line per generation, lighter to darker.

    `histograms`: "baseline", "gen1", ... -> `loss_histogram` of its ppl.json. Of many generations
    some are drawn, evenly spaced, the first and the last among them.
    """
    generations = [name for name in histograms if name != "baseline"]
    places = np.linspace(0, len(generations) - 1, min(MOST_LINES, len(generations)))
    chosen = [generations[place] for place in np.unique(places.round().astype(int))]
    shades = sns.cubehelix_palette(len(chosen), start=0.5, rot=-0.6, light=0.75, dark=0.1)
    with sns.axes_style("whitegrid"):
        figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
        for name, shade in zip(chosen, shades, strict=True):
            number = name.removeprefix("gen")
            _draw_line(axes, histograms[name], color=shade, label=f"generation {number}")
        if "baseline" in histograms:
            _draw_line(
                axes,
                histograms["baseline"],
                color=REFERENCE,
                linestyle="--",
                label="baseline",
            )
        axes.set(
            xlabel="Loss of a token (nats)", ylabel="Share of the validation tokens", yscale="log",
            title=title, xlim=(0, None),
        )  # fmt: skip
        axes.legend(fontsize="small", ncols=2)
        save(figure, paths)


def _draw_line(axes, histogram, **style):
    counts = np.array(histogram["counts"], float)
    used = np.flatnonzero(counts)
    shares = np.where(counts > 0, counts, np.nan) / counts.sum()  # a logarithm has no place for 0
    part = slice(used[0], used[-1] + 1)
    axes.plot(np.array(histogram["edges"])[part], shares[part], linewidth=1.3, **style)
