"""Draw a number of a published table by generation, lineages that differ by their seeds alone as one, with a band.

python workflow/scripts/figure_of_table.py results/remedies/results.csv ppl.perplexity perplexity.svg
"""

import argparse
import sys

import pandas as pd

from ouroboros.errors import UserError
from ouroboros.report.drawing.generations import draw_by_generation
from ouroboros.report.drawing.of_table import one_metric


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", help="a results.csv (docs/artifacts.md)")
    parser.add_argument("metric", help="a value of its column metric")
    parser.add_argument("figure", nargs="+", help=".svg or .png")
    options = parser.parse_args()
    try:
        rows, label, initial = one_metric(pd.read_csv(options.table), options.metric)
    except (OSError, UserError) as error:
        sys.exit(f"{options.table}: {error}")
    draw_by_generation(rows, label, initial, options.figure)


if __name__ == "__main__":
    main()
