"""Rule classification: a copy of an LM, fine-tuned on a task and measured."""

from adaptor import run
from ouroboros.artifacts import write_json
from ouroboros.classification import classify, seeds_for
from ouroboros.device import choose_device, describe
from ouroboros.fine_tuning import FineTuning
from ouroboros.parquet import check_seal
from ouroboros.provenance import provenance
from ouroboros.tasks import KINDS, read_files


def main(snakemake):
    params, task = snakemake.params, snakemake.wildcards.task
    device = choose_device(snakemake.resources.gpu, snakemake.threads)
    kind = KINDS[params.task["kind"]]
    for split in ("train", "validation"):
        check_seal(snakemake.input.get(split))
    train, validation = (
        read_files(kind, [snakemake.input.get(split)]) for split in ("train", "validation")
    )
    result = classify(
        snakemake.input.checkpoint, kind, train, validation, FineTuning(**params.fine_tuning),
        seeds_for(params.seed, params.generation, task), device,
    )  # fmt: skip
    block = provenance(
        describe(device), lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, task=task, examples=params.task,
        fine_tuning=params.fine_tuning,
    )  # fmt: skip
    write_json(snakemake.output[0], {**result, "provenance": block})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
