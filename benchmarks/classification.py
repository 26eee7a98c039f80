"""Speed and memory of fine-tuning and measuring a classifier, side by side with transformers' `Trainer`.

    python benchmarks/classification.py --model 1m --examples sst2_train.jsonl --kind sst2

Theirs is the paper's authors' way: every text padded to `--max-length` tokens, a Trainer that
trains an epoch, a model that then classifies. Both sides get tokens, the same examples and weights.
"""

import json
import platform
import tempfile
import time
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from pathlib import Path

import common
import numpy as np
import sides
import torch
from comparison import cpu, spread

from ouroboros.data.tokenizer import END_OF_TEXT, make_tokenizer, write_tokenizer
from ouroboros.errors import UserError
from ouroboros.metrics.classification.evaluate import encode, predict
from ouroboros.metrics.classification.fine_tuning import FineTuning, epoch_orders, fine_tune
from ouroboros.metrics.classification.model import read_classifier
from ouroboros.metrics.classification.tasks import KINDS, read_files
from ouroboros.model.checkpoint import write_checkpoint
from ouroboros.model.families.gpt_neo.model import GPTNeo

SETTINGS = {"learning_rate": 5e-5, "batch": 8, "eval_batch": 32, "epochs": 1}  # paper 5.4
WARM_UP = 16  # examples


def read_tokens(options) -> tuple[list[np.ndarray], np.ndarray]:
    """Texts as tokens by the lineage's tokenizer, and their labels: a random part of the file's."""
    examples = read_files(KINDS[options.kind], [options.examples])
    (order,) = epoch_orders(len(examples.labels), 1, seed=0)
    texts = [examples.texts[row] for row in order[: options.count]]
    words = (part for text in texts for part in text)
    tokenizer, end = make_tokenizer(common.tokenizer_settings(options.model), words)
    tokens = encode(tokenizer, texts, tokenizer.token_to_id(end), options.max_length)
    return tokens, examples.labels[order[: options.count]]


def new_checkpoint(options, folder) -> Path:
    """A checkpoint of random weights, the same on both sides."""
    settings = common.model_settings(options.model)
    folder = Path(folder)
    tokenizer, _ = make_tokenizer(common.tokenizer_settings("33m"), [])
    write_tokenizer(tokenizer, END_OF_TEXT, folder / "tokenizer")
    model, end_of_text = GPTNeo(settings).initialise(0), common.end_of_text(settings)
    write_checkpoint(model, folder / "tokenizer", end_of_text, {}, folder / "checkpoint")
    return folder / "checkpoint"


def prepare_ours(options, tokens, labels):
    """A repeat fine-tunes a new copy and classifies every text: examples/s of both, and seconds."""
    settings = FineTuning(**SETTINGS, max_length=options.max_length)
    classes, every = len(KINDS[options.kind].classes), len(tokens)
    vocabulary = np.unique(np.concatenate(tokens))
    places = [np.searchsorted(vocabulary, text) for text in tokens]
    folder = tempfile.TemporaryDirectory()
    checkpoint = new_checkpoint(options, folder.name)

    def repeat(count=every, folder=folder):
        model = read_classifier(checkpoint, classes, vocabulary, seed=0)
        orders = epoch_orders(count, settings.epochs, seed=0)
        start = time.perf_counter()
        fine_tune(model, places[:count], labels[:count], orders, settings)
        trained = time.perf_counter()
        predict(model, places[:count], settings.eval_batch)
        return rates(count, start, trained, time.perf_counter())

    repeat(WARM_UP)
    return repeat


def prepare_theirs(options, tokens, labels):
    from transformers import AutoModelForSequenceClassification

    classes, every = len(KINDS[options.kind].classes), len(tokens)
    folder = tempfile.TemporaryDirectory()
    checkpoint = new_checkpoint(options, folder.name)
    end_of_text = common.end_of_text(common.model_settings(options.model))
    rows = [padded(*pair, end_of_text, options) for pair in zip(tokens, labels, strict=True)]

    def repeat(count=every, folder=folder):
        model = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=classes)
        trainer = make_trainer(model, rows[:count], folder.name)
        start = time.perf_counter()
        trainer.train()
        trained = time.perf_counter()
        classify(model, rows[:count])
        return rates(count, start, trained, time.perf_counter())

    repeat(WARM_UP)
    return repeat


def padded(text, label, end_of_text, options) -> dict:
    """One of the Trainer's examples, as their tokenizer pads it."""
    ids = np.full(options.max_length, end_of_text)
    ids[: len(text)] = text
    mask = np.arange(options.max_length) < len(text)
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask.astype(np.int64)),
        "labels": int(label),
    }


def make_trainer(model, rows, folder):
    from transformers import PrinterCallback, Trainer, TrainingArguments

    arguments = TrainingArguments(
        output_dir=folder,
        use_cpu=True,
        learning_rate=SETTINGS["learning_rate"],
        per_device_train_batch_size=SETTINGS["batch"],
        num_train_epochs=SETTINGS["epochs"],
        dataloader_pin_memory=False,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Trainer(model, arguments, train_dataset=rows)
    trainer.remove_callback(PrinterCallback)
    return trainer


@torch.no_grad()
def classify(model, rows):
    """The class of every text, a batch of the file's order at a time."""
    model.eval()
    for start in range(0, len(rows), SETTINGS["eval_batch"]):
        batch = rows[start : start + SETTINGS["eval_batch"]]
        ids, mask = (
            torch.stack([row[key] for row in batch]) for key in ("input_ids", "attention_mask")
        )
        model(ids, attention_mask=mask).logits.argmax(1)


def rates(count, start, trained, end) -> dict[str, float]:
    """Examples per second: fine-tuned, classified, and both one after the other."""
    return {
        "fine-tuning": count / (trained - start),
        "classifying": count / (end - trained),
        "both": count / (end - start),
    }


def report(result: dict) -> str:
    """Lines for people; the last is the median ratio of fine-tuning."""
    lines = [result["what"], f"against {result['against']}"]
    machine = result["machine"]
    lines += [f"{machine['cpu']}, {machine['threads']} threads; torch {machine['torch']}", ""]
    lines.append(f"{'examples/s':14}{'ours':>10}{'theirs':>10}{'ratio':>9}   (min to max)")
    for phase, figures in result["phases"].items():
        ours, theirs, ratio = (figures[key] for key in ("ours", "theirs", "ratio"))
        lines.append(
            f"{phase:14}{ours['median']:>10,.1f}{theirs['median']:>10,.1f}{ratio['median']:>9.2f}"
            f"   ({ratio['min']:.2f} to {ratio['max']:.2f})"
        )
    ours, theirs = (result["peak_memory_gb"][side] for side in ("ours", "theirs"))
    lines.append(f"{'peak memory':14}{ours:>7.2f} GB{theirs:>7.2f} GB{ours / theirs:>9.2f}")
    return "\n".join([*lines, f"ratio: {result['phases']['fine-tuning']['ratio']['median']:.2f}"])


def main():
    parser = common.make_parser(__doc__.splitlines()[0])
    fixture = sides.REPOSITORY / "resources/classification/sst2_train.jsonl"
    parser.add_argument("--kind", choices=KINDS, default="sst2", help="which task it is")
    parser.add_argument("--examples", default=fixture, help="a file of the task's examples")
    parser.add_argument("--count", type=common.positive, default=400, help="examples, at most")
    parser.add_argument("--max-length", type=common.positive, default=128, help="tokens of a text")
    options = parser.parse_args()
    try:
        tokens, labels = read_tokens(options)
    except UserError as error:
        parser.error(str(error))
    tuned = {"both": ("ours", "theirs"), "ours": ("ours",), "none": ()}[options.allocator]
    calls = {"ours": prepare_ours, "theirs": prepare_theirs}
    try:
        running = {
            name: sides.Side(
                sides.JOBS if name in tuned else {}, options.threads, prepare, options, tokens, labels
            )
            for name, prepare in calls.items()
        }  # fmt: skip
        found = sides.alternate(running, options.repeats)
        memory = {name: side.peak_memory() for name, side in running.items()}
    except BrokenProcessPool:
        parser.exit(1, "A side was killed: there may be too little memory.\n")
    for side in running.values():
        side.close()
    phases = {}
    for phase in found["ours"][0]:
        ours, theirs = ([one[phase] for one in found[name]] for name in calls)
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        phases[phase] = {
            name: spread(v) for name, v in (("ours", ours), ("theirs", theirs), ("ratio", ratios))
        }
    mean = np.mean([len(text) for text in tokens])
    result = {
        "benchmark": "classification",
        "what": f"fine-tuning, {options.model}, {len(tokens)} examples of {options.kind} of "
        f"{mean:.0f} tokens, batch {SETTINGS['batch']}, fp32, allocator settings: {options.allocator}",
        "against": f"transformers' Trainer, padded to {options.max_length} tokens, fp32",
        "phases": phases,
        "repeats": found,
        "peak_memory_gb": memory,
        "machine": {
            "cpu": cpu(),
            "threads": options.threads,
            "python": platform.python_version(),
            "torch": version("torch"),
            "transformers": version("transformers"),
        },
        "settings": vars(options),
    }
    print(report(result))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
