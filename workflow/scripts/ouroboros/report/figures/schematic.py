"""Extended data figure 5 of the paper: the LMs of a lineage, their training text and their tests."""

from ouroboros.pipeline.reports import tests_in_words

OF = "lineage"
ORDER = 7
CAPTION = """\
**The models of this lineage, their training text and their tests** (extended data figure 5 of the paper). Thick arrows
are the recursion, text that is sampled and that the next generation is trained on; dotted ones are tests.
"""


def inputs(experiment, lineage):
    return {}


def settings(experiment, lineage):
    of = experiment.lineages[lineage]
    return {
        "generations": of["generations"],
        "mark": getattr(experiment.regimes[of["regime"]], "MARK", ""),
        "tests": tests_in_words(experiment, lineage),
    }


def draw(files, settings, lineage, outputs):
    from ouroboros.report.drawing.schematic import draw_schematic

    draw_schematic(lineage, settings["generations"], settings["mark"], settings["tests"], outputs)
