"""Rule ppl: perplexity of an LM on the validation set."""

from adaptor import run
from ouroboros.artifacts import write_json
from ouroboros.checkpoint import read_lm
from ouroboros.device import choose_device, describe
from ouroboros.perplexity import perplexity, story_losses
from ouroboros.provenance import provenance
from ouroboros.tails import tails
from ouroboros.tokens import read_token_stories


def main(snakemake):
    params, resources = snakemake.params, snakemake.resources
    device = choose_device(resources.gpu, snakemake.threads)
    model, end_of_text = read_lm(snakemake.input.checkpoint)
    model.to(device)
    stories = read_token_stories(snakemake.input.validation)
    losses = story_losses(model, stories, end_of_text, params.context, resources.batch)
    block = provenance(
        describe(device), lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, context=params.context,
    )  # fmt: skip
    write_json(snakemake.output[0], {**perplexity(losses), **tails(losses), "provenance": block})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
