"""Rule initial_corpus: the stories of a source, split."""

from ouroboros.data.sources import SPLITS, write_splits
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.pipeline.local_files import all_inputs
from ouroboros.storage.atomic import write_json


def main(snakemake):
    settings = dict(snakemake.params.settings)
    files = {
        key: all_inputs(snakemake.input, settings, key) for key in ("files", "validation_files")
    }
    if settings["source"] == "grammar":
        settings["grammar"] = files["files"][0]
    elif settings["source"] == "files":
        settings |= files
    counts = write_splits(settings, {split: snakemake.output[split] for split in SPLITS})
    made_with = {"corpus": snakemake.wildcards.corpus, "settings": snakemake.params.settings}
    write_json(snakemake.output.source, {"stories": counts, "provenance": provenance(**made_with)})


if "snakemake" in globals():
    run(main, snakemake)
