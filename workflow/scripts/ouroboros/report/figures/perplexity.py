"""Figure 1 of the paper: perplexity by generation, of a lineage or of several."""

from ouroboros.pipeline import paths

OF = "group"
ORDER = 1
CAPTION = """\
**Perplexity on the validation set by generation** (figure 1 of the paper). Lower is better: exp of the mean loss over all
tokens of the validation stories. Bands are one standard error over stories; of several seeds, drawn as their mean, one
standard deviation over these. A dotted line, where there is one, is the
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
    found = {"lineages": experiment.groups[group]}
    setups = experiment.setups(group)
    # a figure drawn before there were setups is not drawn again for their sake
    return found if all(len(names) == 1 for names in setups) else found | {"setups": setups}


def draw(files, settings, group, outputs):
    import pandas as pd

    from ouroboros.metrics.ppl.declaration import perplexity_error
    from ouroboros.report.drawing.generations import draw_by_generation, means_over_seeds
    from ouroboros.storage.atomic import read_json

    rows = []
    for measured in map(read_json, files["ppl"]):
        rows.append(
            {
                "lineage": measured["provenance"]["lineage"],
                "generation": measured["provenance"]["generation"],
                "value": measured["perplexity"],
                "error": perplexity_error(measured) or 0.0,
            }
        )
    validations = (read_json(path)["validation"] for path in files["tokens"])
    # lineages on one corpus share it
    floors = sorted({of["floor"] for of in validations if "floor" in of})
    rows = pd.DataFrame(rows)
    if "setups" in settings:
        rows = means_over_seeds(rows, settings["setups"])
    references = {f"floor of the corpus ({floor:.2f})": floor for floor in floors}
    draw_by_generation(rows, "Perplexity on the validation set", references, outputs)
