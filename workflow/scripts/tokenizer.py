"""Rule tokenizer: fetched, or trained on the corpus's training stories."""

from ouroboros.data.sources import read_stories
from ouroboros.data.tokenizer import make_tokenizer, write_tokenizer
from ouroboros.jobs.script import run


def main(snakemake):
    texts = (text for texts, _ in read_stories(snakemake.input.train) for text in texts)
    tokenizer, end_of_text = make_tokenizer(snakemake.params.settings, texts)
    write_tokenizer(tokenizer, end_of_text, snakemake.output[0])


if "snakemake" in globals():
    run(main, snakemake)
