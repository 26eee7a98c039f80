"""Rule sample: one shard of the corpus that an LM freely samples."""

from pathlib import Path

from ouroboros.data.corpus import ShardWriter, token_type
from ouroboros.errors import UserError
from ouroboros.jobs.device import choose_device
from ouroboros.jobs.script import run
from ouroboros.jobs.snapshots import States
from ouroboros.model.checkpoint import read_lm
from ouroboros.model.decoding import Decoding
from ouroboros.pipeline.experiment import shard_indices
from ouroboros.randomness import seed_for
from ouroboros.sampling.published import PublishedSampler
from ouroboros.sampling.sampled_batches import SampledBatches
from ouroboros.sampling.sampler import fitting_batch, sample
from ouroboros.storage.parquet import read_parquet


def main(snakemake):
    params, resources = snakemake.params, snakemake.resources
    device = choose_device(resources.gpu, snakemake.threads)
    model, end_of_text = read_lm(snakemake.input.checkpoint)
    model.to(device)
    indices, length = sequences_of(snakemake), params.sequence_length
    key = seed_for(params.seed, params.generation, "sampling")
    belongs_to = {
        "indices": [indices.start, indices.stop], "length": length, "temperature": params.temperature, "key": key,
        "end_of_text": end_of_text, "device": device.type,
    }  # fmt: skip
    decoding = params.temperature  # or all that changes what is drawn, where more than it does
    decoding = Decoding(**decoding) if isinstance(decoding, dict) else Decoding(decoding)
    quirks = isinstance(params.indices, dict) and params.indices.get("quirks", False)
    if quirks:
        belongs_to["quirks"] = True
    checkpoint = Path(snakemake.input.checkpoint)
    files = [checkpoint / name for name in ("config.json", "model.safetensors")]
    states = States.beside(snakemake.output[0], belongs_to, files)
    batches = SampledBatches(states)
    batch = resources.batch
    if batch == "auto":
        batch = batches.batch or fitting_batch(model, length, len(indices))
    for tokens in sample(
        model, key, indices, length, end_of_text, batch, decoding, done=batches.rows,
        sampler=PublishedSampler if quirks else None,
    ):  # fmt: skip
        batches.add(tokens, batch)
    dtype = token_type(model.vocabulary_size)
    with ShardWriter(snakemake.output[0], length, dtype) as shard:
        for tokens in batches:
            shard.add(tokens, end_of_text)
    states.remove()


def sequences_of(snakemake) -> range:
    """The indices of the sequences to sample; UserError where a shard would have none."""
    wanted = snakemake.params.indices
    if isinstance(wanted, dict):
        sequences, initial = wanted.get("sequences", "auto"), snakemake.input[0]
        if sequences == "auto":  # as many in all as the initial corpus has
            sequences = read_parquet(initial).metadata.num_rows
        if sequences < wanted["of"]:
            raise UserError(
                f"{initial} has {sequences} sequences, too few for {wanted['of']} shards of as many. "
                "Lower `shards` of the sampling settings, or give the corpus more text."
            )
        wanted = shard_indices(sequences, wanted["shard"], wanted["of"])
    return range(*wanted)


if "snakemake" in globals():
    run(main, snakemake)
