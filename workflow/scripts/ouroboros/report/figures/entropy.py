"""Figure 2 of the paper: entropy and OOV words of the generated corpora."""

OF = "lineage"
ORDER = 2
CAPTION = """\
**Entropy of the generated text and its out-of-vocabulary words by generation** (figure 2 of the paper). The line is the
entropy of the tokens' relative frequencies in each generation's corpus, the bars are the words that are not in the
lexicon, and the dotted line is the entropy of the initial corpus.
"""


def inputs(experiment, lineage):
    return {"text": experiment.files(lineage, "text")}


def draw(files, settings, lineage, outputs):
    import pandas as pd

    from ouroboros.report.drawing.generations import draw_entropy_and_oov
    from ouroboros.storage.atomic import read_json

    rows = [
        {
            "generation": measured["provenance"]["generation"],
            "entropy": measured["entropy"],
            "oov_words": measured["oov_words"],
        }
        for measured in map(read_json, files["text"])
    ]
    draw_entropy_and_oov(pd.DataFrame(rows), lineage, outputs)
