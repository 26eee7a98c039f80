"""Figure 2 of the paper: entropy and OOV words of the generated corpora."""

OF = "lineage"
ORDER = 2
CAPTION = """\
**Entropy of the generated text and its out-of-vocabulary words by generation** (figure 2 of the paper). The line is the
entropy of the tokens' relative frequencies in each generation's corpus, and the dotted line is the entropy of the initial
corpus. Bars above are the paper's count: words of two or more tokens that are not in the lexicon. Bars below are all words,
of one token too, that are not in a lexicon free of noise, so that repetitions of "e" or "zzz" count.
"""


def inputs(experiment, lineage):
    return {metric: experiment.files(lineage, metric) for metric in ("text", "oov")}


def draw(files, settings, lineage, outputs):
    import pandas as pd

    from ouroboros.metrics.text.declaration import entropy_error
    from ouroboros.report.drawing.generations import draw_entropy_and_oov
    from ouroboros.storage.atomic import read_json

    rows = [
        {
            "generation": measured["provenance"]["generation"],
            "entropy": measured["entropy"],
            "entropy_error": entropy_error(measured) or 0.0,
            "oov_words": measured["oov_words"],
            "all_oov_words": read_json(second)["oov_words"],
        }
        for measured, second in zip(map(read_json, files["text"]), files["oov"], strict=True)
    ]
    draw_entropy_and_oov(pd.DataFrame(rows), lineage, outputs)
