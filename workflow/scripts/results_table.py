"""Rule results_table: all measurements of a group as one long table."""

import pyarrow as pa

from ouroboros.findings.results import read_measurements
from ouroboros.jobs.script import run
from ouroboros.report.long_table import long_table
from ouroboros.storage.atomic import write_text
from ouroboros.storage.parquet import write_parquet


def main(snakemake):
    measured = read_measurements(snakemake.input)
    table = long_table(measured, snakemake.params.settings)
    write_parquet(snakemake.output.parquet, pa.Table.from_pandas(table, preserve_index=False))
    write_text(snakemake.output.csv, table.to_csv(index=False))


if "snakemake" in globals():
    run(main, snakemake)
