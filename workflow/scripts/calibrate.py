"""Rule calibrate: measure the speed of one model on this machine."""

from ouroboros.data.grammar import StoryGrammar
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.planning.model_speed import measure_model_speed
from ouroboros.storage.atomic import write_json

STORIES = 300  # enough to train a small tokenizer


def main(snakemake):
    grammar = StoryGrammar.from_file(snakemake.input[0])
    texts = [grammar.story(0, index).text for index in range(STORIES)]
    settings = snakemake.params.settings
    measured = measure_model_speed(settings, texts)
    write_json(snakemake.output[0], {**measured, "provenance": provenance(settings=settings)})


if "snakemake" in globals():
    run(main, snakemake)
