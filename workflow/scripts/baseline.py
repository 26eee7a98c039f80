"""Rule baseline: the initial model where the lineage has one, else a model with random weights, untrained."""

from ouroboros.data.tokenizer import read_tokenizer, vocabulary_size
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.model.families import random_model
from ouroboros.model.initial_model import read_initial_model
from ouroboros.pipeline.local_files import expanded
from ouroboros.randomness import seed_for


def main(snakemake):
    tokenizer, end_of_text = read_tokenizer(snakemake.input.tokenizer)
    settings, seed = dict(snakemake.params.model), snakemake.params.seed
    made_with = {"lineage": snakemake.wildcards.lineage, "lm": "baseline", "seed": seed}
    record = {"epochs": 0, "provenance": provenance(**made_with, model=snakemake.params.model)}
    if initial := settings.pop("initial_model", None):
        model = read_initial_model(expanded(initial), settings, tokenizer, end_of_text)
    else:
        model = random_model(settings, vocabulary_size(tokenizer), seed_for(seed, 0, "weights"))
    write_checkpoint(
        model, snakemake.input.tokenizer, end_of_text, record, snakemake.output.checkpoint
    )


if "snakemake" in globals():
    run(main, snakemake)
