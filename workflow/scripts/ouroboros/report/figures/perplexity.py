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
    rows = pd.DataFrame(rows)
    if "setups" in settings:
        rows = means_over_seeds(rows, settings["setups"])
    draw_perplexity(rows, floors, outputs)


def means_over_seeds(rows, setups):
    """The rows of lineages that differ by their seeds alone as one: means, and standard deviations as errors."""
    import re

    import pandas as pd

    parts = []
    for names in setups:
        own = rows[rows["lineage"].isin(names)]
        if len(names) > 1:
            of = own.groupby("generation")["perplexity"]
            name = re.sub(r"-s\d+$", "", names[0])  # as `seeds` names them
            own = pd.DataFrame(
                {"lineage": name, "perplexity": of.mean(), "error": of.std()}
            ).reset_index()
        parts.append(own)
    return pd.concat(parts, ignore_index=True)
