"""Rule completions: an LM's completions of given beginnings of stories."""

from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.jobs.device import choose_device, device_name
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.metrics.gpt_eval.prompts import HUB, read_prompts
from ouroboros.model.checkpoint import read_lm
from ouroboros.randomness import seed_for
from ouroboros.sampling.completions import complete
from ouroboros.storage.atomic import write_json


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
    made_by = provenance(
        device_name(device), lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, prompts=params.prompts,
        completions=params.completions, new_tokens=params.new_tokens,
    )  # fmt: skip
    write_json(snakemake.output[0], {"stories": stories, "provenance": made_by})


if "snakemake" in globals():
    run(main, snakemake)
