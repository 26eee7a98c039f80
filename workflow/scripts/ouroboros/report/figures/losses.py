"""Histograms of token losses, whose tails perplexity does not show."""

OF = "lineage"
ORDER = 6
CAPTION = """\
**Share of the validation tokens by their loss, a line for each generation.** Perplexity is a mean; this shows its tails:
how many tokens a generation finds nearly impossible, and how many it is sure of.
"""


def inputs(experiment, lineage):
    return {"ppl": experiment.files(lineage, "ppl")}


def draw(files, settings, lineage, outputs):
    from ouroboros.report.drawing.losses import draw_losses
    from ouroboros.storage.atomic import read_json

    histograms = {
        measured["provenance"]["lm"]: measured["loss_histogram"]
        for measured in map(read_json, files["ppl"])
    }
    draw_losses(histograms, lineage, outputs)
