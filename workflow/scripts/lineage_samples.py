"""Rule lineage_samples: stories of all generations, one below the other."""

from adaptor import run
from ouroboros.artifacts import write_text
from ouroboros.corpus import blocks
from ouroboros.samples import excerpts, lineage_page
from ouroboros.tokenizer import read_tokenizer


def main(snakemake):
    params = snakemake.params
    tokenizer, _ = read_tokenizer(snakemake.input.tokenizer)
    generations = [
        (str(n), excerpts(next(blocks([path])).tokens, tokenizer, 2, params.sample_tokens))
        for n, path in zip(params.generations, snakemake.input.corpora, strict=True)
    ]
    write_text(
        snakemake.output[0],
        lineage_page(f"Samples of {snakemake.wildcards.lineage}", generations),
    )


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
