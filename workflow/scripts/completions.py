"""Rule completions: what an LM makes of the given beginnings of stories."""

from adaptor import run
from ouroboros.artifacts import write_json
from ouroboros.checkpoint import read_lm
from ouroboros.completions import complete
from ouroboros.device import choose_device, describe
from ouroboros.prompts import HUB, read_prompts
from ouroboros.provenance import provenance
from ouroboros.randomness import seed_for
from ouroboros.tokenizer import read_tokenizer


def main(snakemake):
    params, resources, source = snakemake.params, snakemake.resources, snakemake.input
    device = choose_device(resources.gpu, snakemake.threads)
    model, end_of_text = read_lm(source.checkpoint)
    model.to(device)
    tokenizer, _ = read_tokenizer(source.checkpoint)
    prompts = read_prompts(HUB if params.prompts == HUB else source.prompts)
    key = seed_for(params.seed, params.generation, "completions")
    stories = complete(
        model, tokenizer, end_of_text, prompts, params.completions, params.new_tokens, key,
        resources.batch,
    )  # fmt: skip
    block = provenance(
        describe(device), lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, prompts=params.prompts,
        completions=params.completions, new_tokens=params.new_tokens,
    )  # fmt: skip
    write_json(snakemake.output[0], {"stories": stories, "provenance": block})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
