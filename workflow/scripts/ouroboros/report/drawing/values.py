"""Values that a figure shows under the pointer, read from the drawing itself: no figure declares them.

Over an axis "Generation", every point of a line and every bar says its series, its generation, and its value
with the error that is drawn; a line of reference says its value. In a figure of another axis, a line that is
labelled as a generation's says whose it is.
"""

import math
import re
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from matplotlib.container import BarContainer, ErrorbarContainer

GENERATION = "Generation"  # the label of the axis
RADIUS = 6  # points, of the area around a point of the figure; also the least height of a bar's
STRIDE = 3  # of the vertices of a long line, every so many bound its area


class Area(NamedTuple):
    """An area of the figure and what it says. `element`: SVG; `generation`: None, or whose value it is."""

    element: str
    text: str
    series: str = ""
    generation: int | None = None


def with_values(svg: str, figure) -> str:
    """The picture `svg` of a figure, just written, with an unseen area that has a title for each value.

    Each area is an <a> without a target, with `data-generation` and `data-series`: a page that shows the
    picture can give it one.
    """
    areas = _areas(figure)
    if not areas:
        return svg
    titled = "".join(
        f"<a{_data(area)}><title>{escape(area.text)}</title>{area.element}</a>\n" for area in areas
    )
    head, end, tail = svg.rpartition("</svg>")
    return (
        f'{head}<g class="values" fill-opacity="0" stroke-opacity="0">\n{titled}</g>\n{end}{tail}'
    )


def value_in_words(value: float, error: float | None = None) -> str:
    """A value to two digits of its error ("6.321 ± 0.051"); without one to four digits, or as an integer."""
    if error and math.isfinite(error):
        digits = max(0, 1 - math.floor(math.log10(error)))
        return f"{value:,.{digits}f} ± {error:,.{digits}f}"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"


def _data(area):
    if area.generation is None:
        return ""
    return f' data-generation="{area.generation}" data-series={quoteattr(area.series)}'


def _areas(figure):
    """Areas from the back to the front: where two overlap, a point hides a bar and a bar a line."""
    place = _Places(figure)
    if not any(axes.get_xlabel() == GENERATION for axes in figure.axes):
        return [area for axes in figure.axes for area in _named_lines(axes, place)]
    kinds = (_references, _bars, _points)
    return [area for kind in kinds for axes in figure.axes for area in kind(axes, place)]


class _Places:
    """Where data of axes lie in the SVG, in points from its left upper corner."""

    def __init__(self, figure):
        self.scale = 72 / figure.dpi
        self.height = figure.get_figheight() * 72

    def __call__(self, transform, xy):
        """`xy`: (n, 2), as `transform` takes it."""
        found = transform.transform(xy) * self.scale
        return np.column_stack([found[:, 0], self.height - found[:, 1]])


def _says(axes, *parts):
    """The panel's name and the parts that are for people (Matplotlib's own begin with _)."""
    said = [axes.get_title(), *parts]
    return " ".join(", ".join(part for part in said if part and part[0] != "_").split())


def _points(axes, place):
    bars = {of.lines[0]: of for of in axes.containers if isinstance(of, ErrorbarContainer)}
    for line in axes.get_lines():
        if line.get_transform() != axes.transData:
            continue
        label, points = line.get_label(), line.get_xydata()
        errors = [None] * len(points)
        if line in bars:
            label = bars[line].get_label()
            errors = [np.ptp(ends[:, 1]) / 2 for ends in bars[line].lines[2][0].get_segments()]
        at = place(axes.transData, points)
        for (n, value), error, (x, y) in zip(points, errors, at, strict=True):
            if math.isfinite(value):
                said = _says(axes, label, f"generation {n:.0f}: {value_in_words(value, error)}")
                yield Area(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}"/>', said, label, int(n))


def _bars(axes, place):
    for bars in axes.containers:
        if not isinstance(bars, BarContainer):
            continue
        for bar in bars:
            (left, top), (right, foot) = place(
                axes.transData,
                [(bar.get_x(), bar.get_height()), (bar.get_x() + bar.get_width(), 0)],
            )
            top, n = min(top, foot - RADIUS), round(bar.get_x() + bar.get_width() / 2)
            said = _says(
                axes, bars.get_label(), f"generation {n}: {value_in_words(bar.get_height())}"
            )
            yield Area(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{foot - top:.1f}"/>',
                said, bars.get_label(), n,
            )  # fmt: skip


def _references(axes, place):
    for line in axes.get_lines():
        if line.get_transform() != axes.transData and not line.get_label().startswith("_"):
            said = _says(axes, f"{line.get_label()}: {value_in_words(line.get_ydata()[0])}")
            yield Area(_path(place(line.get_transform(), line.get_xydata())), said)


def _named_lines(axes, place):
    for line in axes.get_lines():
        label = line.get_label()
        if not label.startswith("_"):
            points = line.get_xydata()
            points = points[np.isfinite(points).all(axis=1)][::STRIDE]
            found = re.fullmatch(r"generation (\d+)", label)
            number = int(found[1]) if found else None
            yield Area(_path(place(axes.transData, points)), label, label, number)


def _path(points):
    """A wide line through points of the SVG."""
    steps = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    return f'<polyline points="{steps}" fill="none" stroke="#000" stroke-width="{RADIUS}"/>'
