"""Text classification: a copy of an LM is fine-tuned on a task, and measured (paper 5.4)."""

import copy
import math

import numpy as np
import torch
from tokenizers import Tokenizer

from ouroboros.data.tokenizer import encode_texts, read_tokenizer
from ouroboros.errors import UserError
from ouroboros.jobs.batch_size import in_batches
from ouroboros.jobs.progress import Progress
from ouroboros.metrics.classification.declaration import binomial_error
from ouroboros.metrics.classification.fine_tuning import FineTuning, epoch_orders, fine_tune, padded
from ouroboros.metrics.classification.model import read_classifier
from ouroboros.metrics.classification.tasks import Examples, Kind


def classify(
    folder, kind: Kind, train: Examples, validation: Examples, settings: FineTuning,
    seeds: list[tuple[int, int]], device: torch.device,
) -> dict:  # fmt: skip
    """Fine-tune copies of the checkpoint in `folder` on `train` and measure them on `validation`.

    `seeds`: for each copy, those of the head's weights and of the order of examples. Returns
    `mean_scores`, and `training`: examples and updates of a copy, and the mean loss in nats of all
    updates and of the last tenth. Raises UserError where the checkpoint is damaged or the loss is not
    finite.
    """
    tokenizer, end_of_text = read_tokenizer(folder)
    orders = [epoch_orders(len(train.labels), settings.epochs, order) for _, order in seeds]
    used = np.unique(np.concatenate([order for of_copy in orders for order in of_copy]))
    texts = [train.texts[index] for index in used] + validation.texts
    tokens = encode(tokenizer, texts, end_of_text, settings.max_length)
    train_tokens = dict(zip(used, tokens, strict=False))
    copies = [
        _fine_tuned(
            folder, len(kind.classes), train_tokens, train.labels, of_copy, tokens[len(used) :],
            settings, weights, device,
        )
        for of_copy, (weights, _) in zip(orders, seeds, strict=True)
    ]  # fmt: skip
    losses, predictions = zip(*copies, strict=True)
    updates = len(losses[0])
    return {
        **mean_scores(kind.classes, train.labels, validation.labels, predictions),
        "training": {
            "examples": sum(map(len, orders[0])),
            "updates": updates,
            "loss": float(np.mean([each.mean() for each in losses])),
            "last_loss": float(
                np.mean([each[-math.ceil(updates / 10) :].mean() for each in losses])
            ),
        },
    }


def seeds_for(seed: int, generation: int, task: str, count: int) -> list[tuple[int, int]]:
    """`count` pairs of 63-bit seeds of a task in a generation, from the lineage's `seed`.

    The first pairs do not depend on `count`.
    """
    sequence = np.random.SeedSequence([seed, generation, *task.encode()])
    words = [int(word >> 1) for word in sequence.generate_state(2 * count, np.uint64)]
    return list(zip(words[::2], words[1::2], strict=True))


def encode(
    tokenizer: Tokenizer, texts: list[tuple[str, ...]], end_of_text: int, max_length: int
) -> list[np.ndarray]:
    """Token ids of every text, int64; the second of two follows the first, with nothing between.

    Beyond `max_length` the longer of the two is cut. A text without tokens is the end-of-text token.
    """
    tokenizer = copy.deepcopy(tokenizer)  # whose settings are not ours to change
    tokenizer.enable_truncation(max_length)
    inputs = [text if len(text) == 2 else text[0] for text in texts]
    encodings = encode_texts(tokenizer, inputs)
    return [np.array(encoding.ids or [end_of_text]) for encoding in encodings]


@torch.inference_mode()
def predict(model, tokens: list[np.ndarray], batch: int) -> np.ndarray:
    """The likeliest class of every text: int64 (texts,)."""
    model.eval()
    # Longest first: batches of like length waste little on padding.
    order = np.argsort([-len(text) for text in tokens], kind="stable")
    classes = np.empty(len(tokens), np.int64)
    progress = Progress("classifying", len(tokens), "examples")

    def attempt(start, size):
        rows = order[start : start + size]
        logits = model(padded(model, [tokens[row] for row in rows]), use_cache=False).logits
        classes[rows] = logits.argmax(1).cpu().numpy()
        progress.add(len(rows))

    for _ in in_batches(len(order), batch, attempt):
        pass
    progress.close()
    return classes


def scores(
    classes: tuple[str, ...], train: np.ndarray, labels: np.ndarray, predictions: np.ndarray
) -> dict:
    """Scores of `predictions` for examples with `labels`, int64 (examples,) both.

    `accuracy` with its binomial standard error, F1 averaged with the classes' counts as weights
    (paper 5.4), both again for the class that is most frequent in the labels of `train`
    (`majority`), scikit-learn's report per class, and the confusion matrix: a row per true class.
    """
    # Imported here: it takes a second, and nothing else needs it.
    from sklearn import metrics

    numbers = range(len(classes))
    report = metrics.classification_report(
        labels, predictions, labels=numbers, target_names=classes, output_dict=True, zero_division=0
    )
    majority = int(np.bincount(train).argmax())
    always = np.full_like(labels, majority)
    accuracy = float((predictions == labels).mean())
    return {
        "accuracy": accuracy,
        "standard_error": binomial_error(accuracy, len(labels)),
        "weighted_f1": report["weighted avg"]["f1-score"],
        "majority": {
            "class": classes[majority],
            "accuracy": float((always == labels).mean()),
            "weighted_f1": float(
                metrics.f1_score(labels, always, average="weighted", zero_division=0)
            ),
        },
        "examples": len(labels),
        "classes": list(classes),
        "report": {name: report[name] for name in classes},
        "confusion_matrix": metrics.confusion_matrix(labels, predictions, labels=numbers).tolist(),
    }


def mean_scores(
    classes: tuple[str, ...], train: np.ndarray, labels: np.ndarray, predictions: list[np.ndarray]
) -> dict:
    """Scores of copies of an LM, from the predictions of each for the same examples.

    Those of one copy are its `scores`. Of several, accuracy and weighted F1 are means; the values of
    each copy stand in `by_seed`, and their number in `seeds`. The standard error of the accuracy is that
    of the mean over the copies (SD / sqrt(seeds)) and the binomial one of the examples, which all copies
    share, in quadrature: never too small, as what copies answer differently is in both. The report per
    class and the confusion matrix count the predictions of all copies together.
    """
    each = [scores(classes, train, labels, of_copy) for of_copy in predictions]
    if len(each) == 1:
        return each[0]
    by_seed = {key: [found[key] for found in each] for key in ("accuracy", "weighted_f1")}
    accuracy = float(np.mean(by_seed["accuracy"]))
    of_seeds = np.std(by_seed["accuracy"], ddof=1) / math.sqrt(len(each))
    return {
        **scores(classes, train, np.tile(labels, len(each)), np.concatenate(predictions)),
        "accuracy": accuracy,
        "standard_error": math.hypot(of_seeds, binomial_error(accuracy, len(labels))),
        "weighted_f1": float(np.mean(by_seed["weighted_f1"])),
        "examples": len(labels),
        "seeds": len(each),
        "by_seed": by_seed,
    }


def _fine_tuned(
    folder, classes, train_tokens, labels, orders, validation_tokens, settings, seed, device
):
    """Losses of the updates of a copy, and its predictions; `train_tokens` by the example's number."""
    used = np.unique(np.concatenate(orders))
    tokens = [train_tokens[index] for index in used] + validation_tokens
    vocabulary = np.unique(np.concatenate(tokens))
    tokens = [np.searchsorted(vocabulary, text) for text in tokens]
    model = read_classifier(folder, classes, vocabulary, seed).to(device)
    _check_length(model, settings.max_length)
    orders = [np.searchsorted(used, order) for order in orders]
    losses = fine_tune(model, tokens[: len(used)], labels[used], orders, settings)
    return losses, predict(model, tokens[len(used) :], settings.eval_batch)


def _check_length(model, max_length):
    positions = getattr(model.config, "max_position_embeddings", None) or max_length
    if max_length > positions:
        raise UserError(
            f"The task's texts may have {max_length} tokens, the model has {positions} positions. "
            "Lower `max_length` of the task or of the classification settings."
        )
