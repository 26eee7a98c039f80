"""Rules report_page and report_of_all: everything about one lineage or several on one page."""

from pathlib import Path

from ouroboros.config.start import start_in_words
from ouroboros.findings.evaluate import group_findings
from ouroboros.findings.results import read_measurements
from ouroboros.jobs.script import run
from ouroboros.pipeline.declarations import figures
from ouroboros.pipeline.reports import differences
from ouroboros.report.page import figure, page, rows, settings_text, verdicts
from ouroboros.report.tables import (
    classification,
    definitions,
    gpt_eval,
    made_with,
    numbers,
    side_by_side,
)
from ouroboros.storage.atomic import read_json, write_text
from ouroboros.training.epochs import epochs_in_words


def main(snakemake):
    files, lineages = snakemake.input, snakemake.params.lineages
    training = [Path(checkpoint, "training.json") for checkpoint in files.checkpoints]
    measured = read_measurements([*files.measured, *training])
    samples = {
        made["provenance"]["lineage"]: made["generations"] for made in map(read_json, files.samples)
    }
    epochs = {
        found["provenance"]["lineage"]: epochs_in_words(found)
        for found in map(read_json, files.epochs)
    }
    captions = {name: declared.CAPTION for name, declared in figures().items()}
    found = {  # comparisons may have lineages in common
        (finding["id"], *finding["lineages"]): finding
        for path in files.findings
        for finding in read_json(path)["findings"]
    }
    sentences, profiles = {}, {}
    for profile in map(read_json, files.profiles):
        sentences |= profile["sentences"]
        profiles |= {(of["id"], *of["lineages"]): of for of in profile["verdicts"]}
    shown = [
        {
            "name": name,
            "sentence": sentences.get(name),
            "generations": settings["generations"],
            "start": start_in_words(settings),
            "epochs": epochs[name],
            "numbers": numbers(measured[name]),
            "samples": samples[name],
            "gpt_eval": gpt_eval(measured[name]),
            "accuracy": classification(measured[name], "accuracy"),
            "weighted_f1": classification(measured[name], "weighted_f1"),
            "made_with": made_with(measured[name]),
            "settings": settings_text(settings),
        }
        for name, settings in lineages.items()
    ]
    ids = rows(shown)
    several = {name: measured[name] for name in lineages} if len(lineages) > 1 else {}
    content = page(
        files.template,
        title=snakemake.params.title,
        findings=verdicts(list(found.values())),
        profile=group_findings(list(profiles.values())),
        definitions=definitions(list(profiles.values())) if several else None,
        figures=[figure(path, captions[Path(path).stem], ids) for path in files.figures],
        lineages=shown,
        side_by_side=side_by_side(several, differences(lineages)) if several else None,
    )
    write_text(snakemake.output[0], content)


if "snakemake" in globals():
    run(main, snakemake)
