"""Rule of a metric, named like the metric: measure one LM or corpus."""

import importlib

from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.pipeline.declarations import metrics
from ouroboros.storage.atomic import write_json


def main(snakemake):
    params, wildcards, metric = snakemake.params, snakemake.wildcards, snakemake.rule
    declaration = metrics()[metric]
    device = None
    if "gpu" in declaration.RESOURCES:
        from ouroboros.jobs.device import choose_device, device_name  # torch: not for every metric

        device = choose_device(snakemake.resources.gpu, snakemake.threads)
    settings = {key: params[key] for key in declaration.SETTINGS}
    measure = importlib.import_module(f"ouroboros.metrics.{metric}.measure").measure
    measured = measure(snakemake.input, settings, device, snakemake.resources.get("batch"))
    if hasattr(declaration, "TABLE"):
        from ouroboros.storage.parquet import write_parquet

        measured, table = measured
        write_parquet(snakemake.output[1], table)
    record = provenance(
        *([device_name(device)] if device else []), lineage=wildcards.lineage, lm=wildcards.lm,
        generation=params.generation, seed=params.seed, **settings,
    )  # fmt: skip
    write_json(snakemake.output[0], {**measured, "provenance": record})


if "snakemake" in globals():
    run(main, snakemake)
