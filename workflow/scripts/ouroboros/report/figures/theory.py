"""The errors that the paper's theory says accumulate, as they did (section 2)."""

OF = "lineage"
ORDER = 7
CAPTION = """\
**Accumulated errors by generation** (section 2 of the paper, equation 3). y is the initial corpus's count of a beginning and
all errors since, the smallest that equations 1 and 2 allow; the initial corpus's share in it, its memory, is the inverse of its growth.
The mean over the most frequent beginnings of stories, with one standard error; over the tokens above the cut alone;
and what redrawing the counts alone would give of models that were exact.
"""
LINES = (
    ("log10_y", "all tokens"),
    ("log10_y_above_cut", "tokens above the cut"),
    ("log10_y_control", "redrawn counts alone"),
)


def inputs(experiment, lineage):
    return {"theory": [
        path for path in experiment.files(lineage, "theory") if "/baseline/" not in path
    ]}  # fmt: skip


def draw(files, settings, lineage, outputs):
    import matplotlib.pyplot as plt
    import numpy as np
    import seaborn as sns

    from ouroboros.report.drawing import SIZE, save
    from ouroboros.report.drawing.generations import STYLES
    from ouroboros.storage.atomic import read_json

    measured = [read_json(path) for path in files["theory"]]
    generations = [of["provenance"]["generation"] for of in measured]
    with sns.axes_style("whitegrid"):
        figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
        for (key, label), style in zip(LINES, STYLES, strict=False):
            every = [[c[key] for c in of["contexts"] if c[key] is not None] for of in measured]
            means = [np.mean(values) if values else np.nan for values in every]
            errors = [
                np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
                for values in every
            ]
            axes.errorbar(generations, means, yerr=errors, label=label, **style)
        axes.set(
            xlabel="Generation",
            ylabel="log10 of the initial count and all errors, y",
            title=lineage,
        )
        axes.legend()
        save(figure, outputs)
