"""Rule sample: one shard of the corpus that an LM freely samples."""

from adaptor import run
from ouroboros.checkpoint import read_checkpoint
from ouroboros.corpus import ShardWriter
from ouroboros.device import choose_device
from ouroboros.randomness import seed_for
from ouroboros.sampling import sample
from ouroboros.tokenizer import read_tokenizer


def main(snakemake):
    params, resources = snakemake.params, snakemake.resources
    device = choose_device(resources.gpu, snakemake.threads)
    model = read_checkpoint(snakemake.input.checkpoint).to(device)
    _, end_of_text = read_tokenizer(snakemake.input.checkpoint)
    key = seed_for(params.seed, params.generation, "sampling")
    with ShardWriter(snakemake.output[0], params.sequence_length) as shard:
        for tokens in sample(
            model, key, range(*params.indices), params.sequence_length, end_of_text,
            resources.batch, params.temperature,
        ):  # fmt: skip
            shard.add(tokens, end_of_text)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
