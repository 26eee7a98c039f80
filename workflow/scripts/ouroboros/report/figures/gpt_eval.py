"""Figure 3 of the paper: a judge's grades of completions."""

OF = "lineage"
ORDER = 3
CAPTION = """\
**A judge's scores of completions by generation** (figure 3 of the paper). A chat model grades completions of given
beginnings of stories from 0 to 9; bars are one standard error over beginnings. The line of reference is the
baseline. Completions are drawn at temperature 1 from the full distribution, whatever the temperature of the corpora.
"""
SHOWN = ("grammar", "consistency")


def inputs(experiment, lineage):
    graded = experiment.files(lineage, "gpt_eval")
    return {"gpt_eval": graded} if graded else None


def settings(experiment, lineage):
    return {"judge": experiment.judge_identity(lineage)}


def draw(files, settings, lineage, outputs):
    import pandas as pd

    from ouroboros.metrics.gpt_eval.declaration import grade_error
    from ouroboros.report.drawing.scores import draw_scores
    from ouroboros.storage.atomic import read_json

    rows = [
        {
            "panel": name.capitalize(),
            "generation": measured["provenance"]["generation"],
            "score": measured[name]["mean"],
            "error": grade_error(name, measured),
            "guess": None,
        }
        for measured in map(read_json, files["gpt_eval"])
        for name in SHOWN
    ]
    title = f"{lineage}, graded by {settings['judge']['model']}"
    draw_scores(pd.DataFrame(rows), "Score (0 to 9)", title, outputs)
