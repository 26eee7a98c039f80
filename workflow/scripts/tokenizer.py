"""Rule tokenizer: fetched, or trained on the corpus's training stories."""

from ouroboros.data.sources import read_stories
from ouroboros.data.tokenizer import make_tokenizer, write_tokenizer
from ouroboros.jobs.script import run
from ouroboros.pipeline.local_files import expanded


def main(snakemake):
    texts = (text for texts, _ in read_stories(snakemake.input.train) for text in texts)
    settings = dict(snakemake.params.settings)
    if settings["source"] == "hub":
        settings["path"] = expanded(settings["path"])
    tokenizer, end_of_text = make_tokenizer(settings, texts)
    write_tokenizer(tokenizer, end_of_text, snakemake.output[0])


if "snakemake" in globals():
    run(main, snakemake)
