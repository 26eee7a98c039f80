"""Rule sample: one shard of the corpus that an LM freely samples."""

from adaptor import run
from ouroboros.checkpoint import read_lm
from ouroboros.corpus import ShardWriter
from ouroboros.device import choose_device
from ouroboros.randomness import seed_for
from ouroboros.sampling import fitting_batch, sample


def main(snakemake):
    params, resources = snakemake.params, snakemake.resources
    device = choose_device(resources.gpu, snakemake.threads)
    model, end_of_text = read_lm(snakemake.input.checkpoint)
    model.to(device)
    indices = range(*params.indices)
    batch = resources.batch
    if batch == "auto":
        batch = fitting_batch(model, params.sequence_length, len(indices))
    key = seed_for(params.seed, params.generation, "sampling")
    with ShardWriter(snakemake.output[0], params.sequence_length) as shard:
        for tokens in sample(
            model, key, indices, params.sequence_length, end_of_text, batch, params.temperature
        ):  # fmt: skip
            shard.add(tokens, end_of_text)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
