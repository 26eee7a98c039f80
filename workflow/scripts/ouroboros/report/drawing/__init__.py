"""Drawing of the figures, from numbers alone; readable in greyscale.

Lines that are compared differ by marker and dash, or by their shade of grey, not by colour alone.
"""

from pathlib import Path

import matplotlib

matplotlib.use("agg")  # no screen on a compute node
import matplotlib.pyplot as plt

from ouroboros.report.drawing.values import with_values
from ouroboros.storage.atomic import new_file

SIZE = (6.4, 4.2)  # inches
REFERENCE = "0.35"  # grey of lines of reference: baseline, initial corpus, floor
# The same drawing gives the same bytes: no dates, no random ids.
plt.rcParams["svg.hashsalt"] = "ouroboros"
plt.rcParams["svg.fonttype"] = "none"


def save(figure, paths: list):
    """Write a figure as .svg and .png, whatever `paths` end in; an .svg has its values (see values.py)."""
    for path in paths:
        kind = Path(path).suffix[1:]
        metadata = {"svg": {"Date": None}, "png": {"Software": None}}[kind]
        with new_file(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=200, metadata=metadata)
            if kind == "svg":
                drawn = Path(temporary).read_text(encoding="utf-8")
                Path(temporary).write_text(with_values(drawn, figure), encoding="utf-8")
    plt.close(figure)
