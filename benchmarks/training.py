"""Speed and memory of training, side by side with transformers' `Trainer`.

    python benchmarks/training.py --model 33m --precision bf16

Both make updates with the paper's settings (AdamW, constant learning rate, gradient clipping) of
sequences of random tokens, in micro-batches of the same size.
"""

import tempfile
import time

import common
import compiled
import numpy as np
import torch
from comparison import Work, compare
from limit import forward_flop

from ouroboros.data.corpus import Corpus, token_type
from ouroboros.model.families.gpt_neo.model import GPTNeo
from ouroboros.training.trainer import Training, TrainingSettings

MICRO_BATCH = {"33m": 4}  # of the others 8
SLICE = 512  # tokens in one product of the LM head, whose size the limit is measured at


def random_tokens(options) -> np.ndarray:
    """The sequences of one update."""
    vocabulary = common.model_settings(options.model).vocabulary_size
    shape = options.update, options.length
    return np.random.default_rng(0).integers(vocabulary, size=shape).astype(token_type(vocabulary))


def paper_settings(options) -> TrainingSettings:
    """The lineage's settings, in the precision of our side."""
    settings = common.lineage(options.model)["training"]
    return TrainingSettings(**{**settings, "precision": options.precision})


def prepare_ours(options):
    settings, tokens = common.model_settings(options.model), random_tokens(options)
    previous = np.full(len(tokens), common.end_of_text(settings), tokens.dtype)
    training = Training(
        GPTNeo(settings).initialise(0), paper_settings(options), Corpus(tokens, previous), seed=0,
        generation=1, device=torch.device("cpu"), micro_batch=options.micro_batch,
    )  # fmt: skip
    training.model.train()

    def repeat():
        start = time.perf_counter()
        training.update(np.arange(len(tokens)))
        return tokens.size / (time.perf_counter() - start)

    repeat()
    return repeat


def prepare_theirs(options):
    model = common.in_transformers(GPTNeo(common.model_settings(options.model)).initialise(0))
    rows = torch.from_numpy(random_tokens(options).astype(np.int64))
    trainer = make_trainer(model, rows, options)

    def repeat():
        result = trainer.train()
        assert result.global_step == 1
        return rows.numel() / result.metrics["train_runtime"]  # without the Trainer's preparations

    repeat()
    return repeat


def make_trainer(model, rows, options):
    """A Trainer whose `train` makes one update; Adam's averages stay from call to call."""
    from transformers import PrinterCallback, Trainer, TrainingArguments

    settings = paper_settings(options)
    arguments = TrainingArguments(
        output_dir=tempfile.gettempdir(),  # nothing is written
        use_cpu=True,
        max_steps=1,
        per_device_train_batch_size=options.micro_batch,
        gradient_accumulation_steps=options.update // options.micro_batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant",
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.gradient_clip,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    data = [{"input_ids": row, "labels": row} for row in rows]
    trainer = Trainer(model, arguments, train_dataset=data)
    trainer.remove_callback(PrinterCallback)
    return trainer


def main():
    parser = common.make_parser(__doc__.splitlines()[0], allocator="ours")
    parser.add_argument("--length", type=common.positive, help="of sequences; else the lineage's")
    parser.add_argument(
        "--micro-batch", type=common.positive, help="sequences at once; else 8, of 33m 4"
    )
    parser.add_argument(
        "--update", type=common.positive, help="sequences in an update; else 2 micro-batches"
    )
    parser.add_argument(
        "--precision", choices=["fp32", "bf16"], default="fp32",
        help="of our side, bf16 by autocast; theirs is fp32",
    )  # fmt: skip
    parser.add_argument(
        "--against", choices=["trainer", "compiled"], default="trainer",
        help="transformers' Trainer, or the same model under torch.compile, as compiled.py says",
    )  # fmt: skip
    options = parser.parse_args()
    lineage, settings = common.lineage(options.model), common.model_settings(options.model)
    options.length = options.length or lineage["sampling"]["sequence_length"]
    options.micro_batch = options.micro_batch or MICRO_BATCH.get(options.model, 8)
    options.update = options.update or 2 * options.micro_batch
    if options.length > settings.positions:
        parser.error(f"--length: {options.model} has {settings.positions} positions")
    if options.update % options.micro_batch:
        parser.error(f"--update: has to be a multiple of {options.micro_batch} sequences")
    forward = forward_flop(settings, options.length, options.length) / options.length
    bf16 = options.precision == "bf16"
    theirs = "transformers Trainer, fp32", (prepare_theirs, options)
    if options.against == "compiled":
        peer = compiled.prepare_trainer, options, random_tokens(options), paper_settings(options)
        theirs = f"torch.compile, SDPA, fused AdamW, {options.precision}", peer
    compare(
        options,
        f"training, {options.model}, sequences of {options.length}, micro-batch "
        f"{options.micro_batch}, update {options.update}, " + ("bf16 autocast" if bf16 else "fp32"),
        theirs[0] + ("" if options.allocator == "both" else ", as installed"),
        (prepare_ours, options),
        theirs[1],
        # the backward makes twice the products of the forward
        Work(SLICE, 3 * forward, dtype=torch.bfloat16 if bf16 else torch.float32),
    )


if __name__ == "__main__":
    main()
