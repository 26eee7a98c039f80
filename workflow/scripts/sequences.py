"""Rule sequences: the tokenised training stories, cut into sequences."""

import logging

from ouroboros.data.tokenise import pack
from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.jobs.script import run


def main(snakemake):
    _, end_of_text = read_tokenizer(snakemake.input.tokenizer)
    length = int(snakemake.wildcards.length)
    count = pack(snakemake.input.train, end_of_text, length, snakemake.output[0])
    logging.getLogger("ouroboros").info("%d sequences of %d tokens", count, length)


if "snakemake" in globals():
    run(main, snakemake)
