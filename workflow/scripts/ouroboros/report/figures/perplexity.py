"""Figure 1 of the paper: perplexity by generation, of a lineage or of several."""

from ouroboros.pipeline import paths

OF = "group"
ORDER = 1
CAPTION = """\
**Perplexity on the validation set by generation** (figure 1 of the paper). Lower is better: exp of the mean loss over all
tokens of the validation stories. Bands are one standard error over stories. A dotted line, where there is one, is the
floor: the perplexity of the distribution that the initial corpus was drawn from, which no model gets below.
"""


def inputs(experiment, group):
    lineages = experiment.groups[group]
    return {
        "ppl": [
            paths.MEASUREMENT.format(lineage=lineage, lm=lm, metric="ppl")
            for lineage in lineages
            for lm in experiment.generations(lineage)
        ],
        "tokens": [experiment.of_corpus(lineage, paths.TOKEN_COUNTS) for lineage in lineages],
    }


def settings(experiment, group):
    return {"lineages": experiment.groups[group]}


def draw(files, settings, group, outputs):
    import pandas as pd

    from ouroboros.metrics.ppl.declaration import perplexity_error
    from ouroboros.report.drawing.generations import draw_perplexity
    from ouroboros.storage.atomic import read_json

    rows = []
    for measured in map(read_json, files["ppl"]):
        rows.append(
            {
                "lineage": measured["provenance"]["lineage"],
                "generation": measured["provenance"]["generation"],
                "perplexity": measured["perplexity"],
                "error": perplexity_error(measured) or 0.0,
            }
        )
    floors = {}
    for lineage, path in zip(settings["lineages"], files["tokens"], strict=True):
        validation = read_json(path)["validation"]
        if "floor" in validation:
            floors[lineage] = validation["floor"]
    draw_perplexity(pd.DataFrame(rows), floors, outputs)
