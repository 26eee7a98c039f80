"""Rule ppl: perplexity of an LM on the validation set."""

from adaptor import run
from ouroboros.artifacts import write_json
from ouroboros.checkpoint import read_checkpoint
from ouroboros.device import choose_device, describe
from ouroboros.perplexity import perplexity, story_losses
from ouroboros.provenance import provenance
from ouroboros.tokenizer import read_tokenizer
from ouroboros.tokens import read_token_stories


def main(snakemake):
    params, resources = snakemake.params, snakemake.resources
    device = choose_device(resources.gpu, snakemake.threads)
    model = read_checkpoint(snakemake.input.checkpoint).to(device)
    _, end_of_text = read_tokenizer(snakemake.input.checkpoint)
    stories = read_token_stories(snakemake.input.validation)
    losses = story_losses(model, stories, end_of_text, params.context, resources.batch)
    block = provenance(
        describe(device), lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, context=params.context,
    )  # fmt: skip
    write_json(snakemake.output[0], {**perplexity(losses), "provenance": block})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
