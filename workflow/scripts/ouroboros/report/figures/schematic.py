"""Extended data figure 5 of the paper: the LMs of a lineage, their training and their tests."""

from ouroboros.pipeline.reports import tests_in_words

OF = "lineage"
ORDER = 8
CAPTION = """\
**The models of this lineage, their training and their tests** (extended data figure 5 of the paper). Thin links join a
model before and after training: each generation is trained from random weights, and copies of it are fine-tuned on
tasks. Thick links lead from the model that wrote a text to the next generation's, which is trained on it. Dotted links
lead from a model to the results of its tests. The baseline is tested, and fine-tuned, as it was initialised.
"""


def inputs(experiment, lineage):
    return {}


def settings(experiment, lineage):
    of = experiment.lineages[lineage]
    last = of["generations"]
    shown = ["baseline", *(f"gen{n}" for n in sorted({1, min(2, last), last}))]
    found = {
        "tests": {lm: tests_in_words(experiment, lineage, lm) for lm in shown},
        "tasks": len(experiment.tasks(lineage)),
        "mark": getattr(experiment.regimes[of["regime"]], "MARK", ""),
    }
    # where neither is set, params stay those of older results
    if {"initial_model", "start"} & of.keys():
        found["begins"] = {lm: experiment.start(lineage, lm) for lm in shown}
    return found


def draw(files, settings, lineage, outputs):
    from ouroboros.report.drawing.schematic import draw_schematic

    draw_schematic(
        lineage,
        settings["tests"],
        settings["tasks"],
        settings["mark"],
        outputs,
        settings.get("begins", {}),
    )
