"""Rule calibrate: measure the speed of one model on this machine; `calibrate.py ARGUMENTS-AS-JSON` does it without Snakemake."""

import json
import sys

from ouroboros.data.grammar import StoryGrammar
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.planning.model_speed import measure_model_speed
from ouroboros.storage.atomic import write_json

STORIES = 300  # enough to train a small tokenizer


def calibrate(settings, grammar_file, path):
    """Measure the speed of a model by its calibration's `settings`, and write it to `path`."""
    grammar = StoryGrammar.from_file(grammar_file)
    texts = [grammar.story(0, index).text for index in range(STORIES)]
    measured = measure_model_speed(settings, texts)
    write_json(path, {**measured, "provenance": provenance(settings=settings)})


def main(snakemake):
    calibrate(snakemake.params.settings, snakemake.input[0], snakemake.output[0])


if "snakemake" in globals():
    run(main, snakemake)
elif __name__ == "__main__":
    calibrate(*json.loads(sys.argv[1]))
