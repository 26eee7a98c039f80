"""Rules train and train_first: one generation, from random weights on the corpora before it.

Generation 1 finds the number of epochs by early stopping; the others read it.
"""

from adaptor import run
from ouroboros.artifacts import read_json, write_json
from ouroboros.checkpoint import write_checkpoint
from ouroboros.corpus import Corpus
from ouroboros.device import choose_device, describe
from ouroboros.model import ModelSettings
from ouroboros.provenance import provenance
from ouroboros.state import Keeper, States
from ouroboros.tokenizer import read_tokenizer
from ouroboros.tokens import read_token_stories
from ouroboros.training import Training, TrainingSettings, train, train_until_best


def main(snakemake):
    params, resources = snakemake.params, snakemake.resources
    device = choose_device(resources.gpu, snakemake.threads)
    tokenizer, end_of_text = read_tokenizer(snakemake.input.tokenizer)
    model_settings = ModelSettings(**params.model, vocabulary_size=tokenizer.get_vocab_size())
    made_with = {
        "lineage": snakemake.wildcards.lineage,
        "generation": params.generation,
        "seed": params.seed,
        "model": params.model,
        "training": params.training,
    }
    first = params.generation == 1
    epochs = None if first else read_json(snakemake.input.epochs)["epochs"]
    files = [*snakemake.input.corpus, *([snakemake.input.heldout] if first else [])]
    vocabulary = model_settings.vocabulary_size, end_of_text
    belongs_to = {**made_with, "epochs": epochs, "vocabulary": vocabulary, "device": device.type}
    states = States.beside(snakemake.output.checkpoint, belongs_to, files)
    training = Training(
        model_settings, TrainingSettings(**params.training), Corpus.read(snakemake.input.corpus),
        params.seed, params.generation, device, resources.batch,
        Keeper(states, snakemake.config["state_minutes"]),
    )  # fmt: skip
    training.resume()
    if first:
        held_out = read_token_stories(snakemake.input.heldout)
        model, found = train_until_best(training, held_out, end_of_text)
        epochs = found["epochs"]
        block = provenance(describe(device), **made_with)
        write_json(snakemake.output.epochs, {**found, "provenance": block})
    else:
        model = train(training, epochs)
    record = {
        "epochs": epochs,
        "tokens": epochs * training.corpus.tokens.size,
        "updates": len(training.losses),
        "loss_curve": training.losses,
        "provenance": provenance(describe(device), **made_with),
    }
    write_checkpoint(
        model, snakemake.input.tokenizer, end_of_text, record, snakemake.output.checkpoint
    )
    states.remove()


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
