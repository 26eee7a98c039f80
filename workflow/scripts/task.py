"""Rule task: the examples of a text-classification task, from the hub or from files."""

from ouroboros.jobs.script import run
from ouroboros.metrics.classification.tasks import KINDS, read_files, read_hub, write_examples
from ouroboros.pipeline.local_files import all_inputs


def main(snakemake):
    settings = snakemake.params.task
    kind = KINDS[settings["kind"]]
    for split in ("train", "validation"):
        if settings["source"] == "hub":
            name = settings[f"{split}_split"]
            examples = read_hub(kind, settings["path"], settings["subset"], name)
        else:
            examples = read_files(kind, all_inputs(snakemake.input, settings, split))
        write_examples(kind, examples, snakemake.output.get(split))


if "snakemake" in globals():
    run(main, snakemake)
