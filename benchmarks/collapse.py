"""How often the profile of collapse is wrong, and how often it finds what is there, on made-up lineages.

    python benchmarks/collapse.py                  # the table of docs/theory.md
    python benchmarks/collapse.py --lineages 100   # quicker and rougher

At the border of a definition, `holds` and `does not hold` are both wrong: each may come at most at the level of .05.
"""

import argparse
import math
import sys

import numpy as np
from sides import REPOSITORY  # puts the library on the path

sys.path.append(str(REPOSITORY / "tests/support"))

from made_up import NO_NOISE, Course, made_up

from ouroboros.findings.profile import profile
from ouroboros.findings.results import Lineage
from ouroboros.findings.verdict import FAILS, HOLDS
from ouroboros.storage.markdown import table

PAGE = REPOSITORY / "docs/theory.md"
MARK = "<!-- from here on written by benchmarks/collapse.py -->\n"
PAGE_END = """
Shares of {count} made-up lineages. At the border of the definition (no rise, ten times, half), "holds" and "does not hold" are both
wrong: the two numbers; by chance, a rate of .05 is found as one up to {high:.3f} in 99% of simulations. Beyond it, "holds" is
right: the third. The errors of measurement are those of a `small` lineage. `none`: generations differ by them alone; `own`: each
generation has noise of its own, twice as large, as training has; `walk`: that noise adds up from one generation to the next, and then
a lineage's numbers do change, for no reason.

{rates}"""

THRESHOLDS = {
    "catastrophic": 10, "diverging": 0.1, "variance": 0.5, "modes": 0.5, "tails": 0.5,
    "hallucinated": 0.1, "scaling": 0.05,
}  # fmt: skip
NOISE = Course(loss=0.01, entropy=0.01, phrases=0.04, tails=0.04, hallucinated=0.02)
NOISES = {"none": (NO_NOISE, False), "own": (NOISE, False), "walk": (NOISE, True)}
LENGTHS, SEEDS = (7, 10, 40), (1, 3)


def to(start, end):
    """A course that falls or rises from start to end, quickly at first."""
    return lambda t: end + (start - end) * np.exp(-5 * t) * (1 - t)


def courses(n: int) -> dict[str, tuple[Course, Course]]:
    """At the border of each definition, and beyond it. Of n generations: thirds are of whole steps."""
    third = ((n - 1) // 3) / (n - 1)

    def paces(share):
        return lambda t: 1 + np.minimum(t, third) + share * np.maximum(t - (1 - third), 0)

    return {
        "catastrophic": (
            Course(loss=lambda t: 1 + math.log(10) * t), Course(loss=lambda t: 1 + math.log(12) * t),
        ),
        "any-increase": (Course(), Course(loss=lambda t: 1 + 0.1 * t)),
        "diverging": (Course(loss=paces(0.1)), Course(loss=paces(0.4))),
        "variance": (Course(entropy=to(5, 5 - math.log(2))), Course(entropy=to(5, 5 - math.log(2.2)))),
        "modes": (Course(phrases=to(1, 0.5)), Course(phrases=to(1, 0.3))),
        "tails": (Course(tails=to(1, 0.5)), Course(tails=to(1, 0.3))),
        "hallucinated": (Course(hallucinated=to(0.02, 0.12)), Course(hallucinated=to(0.02, 0.25))),
    }  # fmt: skip


def verdicts(
    definition: str, course: Course, n: int, seeds: int, kind: str, count: int
) -> list[str]:
    """The verdicts of a definition on `count` lineages of n generations, or on so many groups of seeds."""
    noise, walks = NOISES[kind]
    found = []
    for case in range(count):
        runs = [Lineage(made_up(course, n, [case, seed, n], noise, walks)) for seed in range(seeds)]
        verdict = {of["id"]: of["verdict"] for of in profile(runs, ["x"], THRESHOLDS)}
        found.append(verdict[definition])
    return found


def rates_table(count: int) -> str:
    """A row per definition and number of seeds and generations: rates by kind of noise."""
    rows = []
    for definition in courses(10):
        for seeds in SEEDS:
            for n in LENGTHS:
                border, beyond = courses(n)[definition]
                cells = []
                for kind in NOISES:
                    wrong = verdicts(definition, border, n, seeds, kind, count)
                    right = verdicts(definition, beyond, n, seeds, kind, count)
                    cells.append(
                        f"{wrong.count(HOLDS) / count:.3f} {wrong.count(FAILS) / count:.3f} "
                        f"{right.count(HOLDS) / count:.2f}"
                    )
                rows.append((definition, str(seeds), str(n), *cells))
                print(*rows[-1], sep=" | ", flush=True)
    return table(["definition", "seeds", "generations", *NOISES], rows, "<>>>>>")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lineages", type=int, default=400, help="made-up lineages of each rate")
    options = parser.parse_args()
    high = 0.05 + 2.58 * (0.05 * 0.95 / options.lineages) ** 0.5
    before, _ = PAGE.read_text(encoding="utf-8").split(MARK)
    page = PAGE_END.format(count=options.lineages, high=high, rates=rates_table(options.lineages))
    PAGE.write_text(f"{before}{MARK}{page}", encoding="utf-8")


if __name__ == "__main__":
    main()
