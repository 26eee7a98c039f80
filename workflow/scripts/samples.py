"""Rule samples: a few stories of a generation's corpus, to read."""

from ouroboros.data.corpus import row_groups
from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.jobs.script import run
from ouroboros.report.samples import excerpts, samples_page
from ouroboros.storage.atomic import write_text


def main(snakemake):
    params = snakemake.params
    tokenizer, _ = read_tokenizer(snakemake.input.tokenizer)
    first = next(row_groups(snakemake.input.corpus)).tokens
    texts = excerpts(first, tokenizer, params.samples, params.sample_tokens)
    title = f"{snakemake.wildcards.lineage}, {snakemake.wildcards.lm}"
    write_text(snakemake.output[0], samples_page(title, texts))


if "snakemake" in globals():
    run(main, snakemake)
