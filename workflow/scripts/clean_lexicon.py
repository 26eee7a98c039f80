"""Rule clean_lexicon: the English words that spaCy knows, without the noise."""

from ouroboros.jobs.script import run
from ouroboros.metrics.oov.lexicon import clean_lexicon
from ouroboros.metrics.text.lexicon import write_lexicon


def main(snakemake):
    write_lexicon(clean_lexicon(), snakemake.output[0])


if "snakemake" in globals():
    run(main, snakemake)
