"""Rule tokenise: the three splits of a corpus as tokens, and how many there are."""

from ouroboros.data.sources import SPLITS
from ouroboros.data.tokenise import tokenise
from ouroboros.data.tokenizer import read_tokenizer, vocabulary_size
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.storage.atomic import write_json


def main(snakemake):
    tokenizer, _ = read_tokenizer(snakemake.input.tokenizer)
    counts = {
        split: tokenise(snakemake.input[split], tokenizer, snakemake.output[split])
        for split in SPLITS
    }
    made_with = {
        "corpus": snakemake.wildcards.corpus,
        "tokenizer": snakemake.wildcards.tokenizer,
        "vocabulary_size": vocabulary_size(tokenizer),
    }
    write_json(snakemake.output.tokens, {**counts, "provenance": provenance(**made_with)})


if "snakemake" in globals():
    run(main, snakemake)
