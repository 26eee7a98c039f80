"""Rules train and train_first: train one generation, from random weights or those of a checkpoint, on the corpora before it.

Generation 1 finds the number of epochs by early stopping; the others read it.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from ouroboros.data.recipe import write_whole
from ouroboros.data.tokenizer import read_tokenizer, vocabulary_size
from ouroboros.jobs.device import choose_device, device_count, device_name
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.jobs.snapshots import States
from ouroboros.model.checkpoint import WEIGHTS, write_checkpoint
from ouroboros.pipeline import paths
from ouroboros.pipeline.regimes import by_source
from ouroboros.storage.atomic import read_json, write_json
from ouroboros.training.job import TrainingJob
from ouroboros.training.launcher import process_group


def main(snakemake):
    params, resources = snakemake.params, snakemake.resources
    device = choose_device(resources.gpu, snakemake.threads)
    tokenizer, end_of_text = read_tokenizer(snakemake.input.tokenizer)
    size = vocabulary_size(tokenizer)
    made_with = {
        "lineage": snakemake.wildcards.lineage,
        "generation": params.generation,
        "seed": params.seed,
        "model": params.model,
        "training": params.training,
    }
    first = params.generation == 1
    epochs = None if first else read_json(snakemake.input.epochs)["epochs"]
    corpora, heldout = by_source(snakemake.input.corpus), snakemake.input.heldout if first else None
    vocabulary = size, end_of_text
    belongs_to = {**made_with, "epochs": epochs, "vocabulary": vocabulary, "device": device.type}
    recipe = snakemake.input.get("recipe")  # none where all of the corpora is used
    start = snakemake.input.get("start")  # none where its weights are random
    weights = start and f"{start}/{WEIGHTS}"
    files = [path for path in (*snakemake.input.corpus, recipe, heldout, weights) if path]
    states = States.beside(snakemake.output.checkpoint, belongs_to, files)
    with TemporaryDirectory() as folder:
        whole = Path(folder, Path(paths.RECIPE).name)
        if recipe is None:
            write_whole(corpora, whole)
        job = TrainingJob(
            **dict(params.items()), vocabulary_size=size, end_of_text=end_of_text,
            recipe=str(recipe or whole), corpora=[*corpora.items()], heldout=heldout, epochs=epochs, start=start,
            micro_batch=resources.batch,
            # it changes no result, so it is no param, which would run finished jobs again
            state_minutes=snakemake.config["state_minutes"],
        )  # fmt: skip
        gpus, threads = device_count(device, resources.gpu), snakemake.threads
        with process_group(job, states, gpus, device, threads, snakemake.log[0]) as processes:
            training = job.prepare(device, states, processes)
            model, found = job.run(training)
    made_by = provenance(device_name(device, gpus), **made_with)
    if first:
        write_json(snakemake.output.epochs, {**found, "provenance": made_by})
    record = {
        "epochs": found["epochs"],
        "tokens": found["epochs"] * training.corpus.tokens.size,
        "updates": len(training.losses),
        "loss_curve": training.losses,
        "provenance": made_by,
    } | ({"start": start} if start else {})
    if recipe is None:  # it is no output: results made before there were recipes are not made again
        write_whole(corpora, Path(snakemake.output.checkpoint).with_name(whole.name))
    write_checkpoint(
        model, snakemake.input.tokenizer, end_of_text, record, snakemake.output.checkpoint
    )
    states.remove()


if "snakemake" in globals():
    run(main, snakemake)
