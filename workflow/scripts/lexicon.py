"""Rule lexicon: the English words that spaCy knows."""

from ouroboros.jobs.script import run
from ouroboros.metrics.text.lexicon import build_lexicon, write_lexicon


def main(snakemake):
    write_lexicon(build_lexicon(float(snakemake.wildcards.cut)), snakemake.output[0])


if "snakemake" in globals():
    run(main, snakemake)
