"""Rule plan: print the plans on the terminal."""

from pathlib import Path

from ouroboros.jobs.script import run


def main(snakemake):
    for path in snakemake.input:
        print(f"\n{Path(path).read_text(encoding='utf-8')}", flush=True)


if "snakemake" in globals():
    run(main, snakemake)
