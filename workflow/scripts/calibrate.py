"""Rule calibrate: what this machine does per second with one model."""

from adaptor import run
from ouroboros.data.grammar import StoryGrammar
from ouroboros.jobs.provenance import provenance
from ouroboros.planning.model_speed import calibrate
from ouroboros.storage.atomic import write_json

STORIES = 300  # enough to train a small tokenizer on


def main(snakemake):
    grammar = StoryGrammar.from_file(snakemake.input[0])
    texts = [grammar.story(0, index).text for index in range(STORIES)]
    settings = snakemake.params.settings
    measured = calibrate(settings, texts)
    write_json(snakemake.output[0], {**measured, "provenance": provenance(settings=settings)})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
