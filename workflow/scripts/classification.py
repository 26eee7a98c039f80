"""Rule classification: fine-tune a copy of an LM on a task, and score it."""

from ouroboros.jobs.device import choose_device, device_name
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.metrics.classification.evaluate import classify, seeds_for
from ouroboros.metrics.classification.fine_tuning import FineTuning
from ouroboros.metrics.classification.tasks import KINDS, read_files
from ouroboros.storage.atomic import write_json
from ouroboros.storage.parquet import verify_parquet


def main(snakemake):
    params, task = snakemake.params, snakemake.wildcards.task
    device = choose_device(snakemake.resources.gpu, snakemake.threads)
    kind = KINDS[params.task["kind"]]
    for split in ("train", "validation"):
        verify_parquet(snakemake.input.get(split))
    train, validation = (
        read_files(kind, [snakemake.input.get(split)]) for split in ("train", "validation")
    )
    settings = FineTuning(**params.fine_tuning)
    result = classify(
        snakemake.input.checkpoint, kind, train, validation, settings,
        seeds_for(params.seed, params.generation, task, settings.seeds), device,
    )  # fmt: skip
    record = provenance(
        device_name(device), lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, task=task, examples=params.task,
        fine_tuning=params.fine_tuning,
    )  # fmt: skip
    write_json(snakemake.output[0], {**result, "provenance": record})


if "snakemake" in globals():
    run(main, snakemake)
