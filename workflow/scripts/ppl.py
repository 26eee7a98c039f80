"""Rule ppl: perplexity of an LM on the validation set."""

from adaptor import run
from ouroboros.data.tokenise import read_token_stories
from ouroboros.jobs.device import choose_device, describe
from ouroboros.jobs.provenance import provenance
from ouroboros.metrics.loss_distribution import tails
from ouroboros.metrics.perplexity import perplexity
from ouroboros.model.checkpoint import read_lm
from ouroboros.model.scoring import story_losses
from ouroboros.storage.atomic import write_json


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
