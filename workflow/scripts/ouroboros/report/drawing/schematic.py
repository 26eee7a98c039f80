"""Extended Data Fig. 5: which LMs there are, what each is made from, and what it is tested by."""

from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch

from ouroboros.report.drawing import save

# Inches, which are the units of the axes.
COLUMN, GAP = 2.5, 0.75  # from column to column, and more where generations are left out
ROW = 1.05  # from row to row
SIDE = 0.61  # from a column's middle to those of what stands left and right in it
BOX, LINE = 1.08, 0.17  # width of a box, height of a line of its text

LINKS = {
    "the same model before and after training": {"linewidth": 0.9, "linestyle": "-"},
    "text: one generation writes it, the next is trained on it": {"linewidth": 3.0, "linestyle": "-"},
    "test, and what it measures": {"linewidth": 1.2, "linestyle": ":"},
}  # fmt: skip
TRAINING, TEXT, TEST = LINKS.values()


class Box(NamedTuple):
    """A box by the middle of its width, and its upper and lower edge."""

    x: float
    top: float
    bottom: float


def draw_schematic(
    lineage: str,
    tests: dict[str, list[str]],
    tasks: int,
    mark: str,
    paths: list,
    begins: dict | None = None,
):
    """The LMs of a lineage as boxes, and three kinds of links between them.

    `tests`: what each LM that is shown is tested by as it is, by LM ("baseline", "gen1", ...); each is
    fine-tuned on as many `tasks` too. `mark` is what a generation is trained on beside the text of the
    one before it. `begins`: for each LM, the LM whose weights it begins with; None for random weights. The
    baseline that begins with itself is a model that was trained elsewhere.
    """
    begins = begins or {}
    figure, axes = plt.subplots(layout="constrained")
    x, before, lowest = 0.0, None, 0.0
    for lm, measured in tests.items():
        if lm == "baseline":
            kind = "initial model" if begins.get(lm) else "untrained LM"
            baseline = _box(axes, x, ROW, f"{kind}\n(baseline)")
            lowest = min(lowest, _tested(axes, baseline, measured, tasks))
            continue
        n = int(lm.removeprefix("gen"))
        skipped = before is not None and n > before[0] + 1
        x += COLUMN + GAP * skipped
        text = "the\ninitial corpus" if n == 1 else f"text of\ngeneration {n - 1}"
        more = "\n" + " ".join(mark.split()) if mark and n > 1 else ""
        origin = _box(axes, x, 2 * ROW, _named(begins.get(lm)))
        trained = _box(axes, x, ROW, f"LM of\ngeneration {n}")
        _link(axes, *_down(origin, trained), TRAINING)
        middle = (origin.bottom + trained.top) / 2
        axes.text(x + 0.08, middle, f"trained on {text}{more}", fontsize=7, va="center")
        if before:
            _follow(axes, before[1], trained, skipped)
        lowest = min(lowest, _tested(axes, trained, measured, tasks))
        before = n, trained
    _finish(figure, axes, lineage, x, lowest)
    save(figure, paths)


def _named(lm):
    """The LM whose weights another begins with, in words."""
    if lm is None:
        return "untrained LM"
    return "initial model" if lm == "baseline" else f"LM of\ngeneration {lm.removeprefix('gen')}"


def _tested(axes, lm, measured, tasks):
    """Draw the tests of an LM; right of them, where there are tasks, its fine-tuned copies and theirs.

    Returns the lower edge of the lowest box.
    """
    side = SIDE if tasks else 0
    results = _box(axes, lm.x - side, 0, "\n".join(measured), result=True)
    _link(axes, *_down(lm, results), TEST)
    if tasks:
        many = "s" if tasks > 1 else ""
        tuned = _box(axes, lm.x + side, 0, f"fine-tuned LM{many}\n({tasks} task{many})")
        scores = _box(axes, lm.x + side, -ROW, "accuracy\nweighted F1", result=True)
        _link(axes, *_down(lm, tuned), TRAINING)
        _link(axes, *_down(tuned, scores), TEST)
        return min(results.bottom, scores.bottom)
    return results.bottom


def _follow(axes, before, trained, skipped):
    """The link from one generation's LM to the next one's, broken where some are left out."""
    y = (trained.top + trained.bottom) / 2
    start, end = before.x + BOX / 2, trained.x - BOX / 2
    if skipped:
        middle = (start + end) / 2
        axes.text(middle, y, "· · ·", ha="center", va="center", fontsize=14)
        _link(axes, (start, y), (middle - 0.3, y), TEXT)
        start = middle + 0.3
    _link(axes, (start, y), (end, y), TEXT)


def _down(upper, lower):
    """Where a link from one box to another below it begins and ends."""
    reach = BOX / 2 - 0.2
    x = upper.x + min(max(lower.x - upper.x, -reach), reach)
    return (x, upper.bottom), (lower.x, lower.top)


def _box(axes, x, top, text, result=False):
    """Draw a box below `top`: a model, or the result of a test."""
    height = LINE * (text.count("\n") + 1) + 0.12
    style = ("square", "0.9") if result else ("round", "white")
    axes.add_patch(
        FancyBboxPatch(
            (x - BOX / 2, top - height), BOX, height, boxstyle=f"{style[0]},pad=0.03",
            facecolor=style[1], edgecolor="0.2", zorder=2,
        )
    )  # fmt: skip
    axes.text(x, top - height / 2, text, ha="center", va="center", fontsize=8, zorder=3)
    return Box(x, top, top - height)


def _link(axes, start, end, style):
    axes.annotate(
        "", xy=end, xytext=start, zorder=1,
        arrowprops={"arrowstyle": "-|>", "shrinkA": 2, "shrinkB": 3, "color": "0.2", **style},
    )  # fmt: skip


def _finish(figure, axes, lineage, last, lowest):
    """Name the links, and fit the figure to what is drawn: from x = 0 to `last`, and down to `lowest`."""
    lines = [Line2D([], [], color="0.2", **style) for style in LINKS.values()]
    axes.legend(
        lines, LINKS, loc="upper center", bbox_to_anchor=(0.5, 0), fontsize=8, frameon=False
    )
    margin, low, high = SIDE + BOX, lowest - 0.1, 2 * ROW + 0.1
    axes.set(xlim=(-margin, last + margin), ylim=(low, high))
    axes.set_axis_off()
    axes.set_title(f"The LMs of {lineage} and their tests", fontsize=9)
    figure.set_size_inches(last + 2 * margin, high - low + 1.0)
