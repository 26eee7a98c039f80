"""Fine-tuning against transformers' own classifier, and figures against scikit-learn and by hand."""

import copy
import math

import numpy as np
import pytest
import torch
from sklearn import metrics
from tokenizers.processors import TemplateProcessing
from tools import END, REPOSITORY, initialise, lively
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ouroboros.errors import UserError
from ouroboros.metrics.classification import evaluate
from ouroboros.metrics.classification.declaration import accuracy_error
from ouroboros.metrics.classification.evaluate import (
    classify,
    encode,
    mean_scores,
    predict,
    scores,
    seeds_for,
)
from ouroboros.metrics.classification.fine_tuning import (
    FineTuning,
    batches,
    epoch_orders,
    fine_tune,
)
from ouroboros.metrics.classification.model import read_classifier
from ouroboros.metrics.classification.tasks import KINDS, Examples, read_files
from ouroboros.model.checkpoint import write_checkpoint

SETTINGS = FineTuning(learning_rate=1e-2, batch=8, eval_batch=32, max_length=40, epochs=6)
CPU = torch.device("cpu")


@pytest.fixture
def checkpoint(model_settings, tokenizer_folder, tmp_path):
    """Weights far from even, windows shorter than the texts."""
    model = lively(initialise(model_settings, 3))
    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.fixture
def random_texts():
    """Token ids of 60 texts of 1 to 40 tokens, a part of the vocabulary, end-of-text among them."""
    rng = np.random.default_rng(0)
    some = np.sort(rng.choice(np.arange(299), 120, replace=False))
    some = np.append(some, END)
    tokens = [rng.choice(some, length) for length in rng.integers(1, 41, 60)]
    tokens[7][-1] = END  # which transformers, told that it pads, would not see
    return tokens


def own_and_theirs(checkpoint, tokens):
    """Our classifier, transformers' with the same head, and the texts as our model takes them."""
    vocabulary = np.unique(np.concatenate(tokens))
    ours = read_classifier(checkpoint, 3, vocabulary, 5)
    theirs = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=3)
    theirs.config.pad_token_id = None  # a text at a time then, read from its last token
    theirs.score.weight.data = ours.score.weight.data.clone()
    return ours, theirs, [np.searchsorted(vocabulary, text) for text in tokens], vocabulary


def test_it_is_transformers_classifier(checkpoint, random_texts):
    ours, theirs, places, _ = own_and_theirs(checkpoint, random_texts)
    with torch.no_grad():
        expected = [theirs(torch.from_numpy(text)[None]).logits[0] for text in random_texts]
    for batch in (1, 32):
        classes = predict(ours, places, batch)
        assert classes.tolist() == [int(logits.argmax()) for logits in expected]
    longest = max(map(len, places))
    ids = torch.full((60, longest), ours.config.pad_token_id)
    for row, text in zip(ids, places, strict=True):
        row[: len(text)] = torch.from_numpy(text)
    logits = ours(ids).logits
    assert logits.std() > 0.01
    torch.testing.assert_close(logits, torch.stack(expected), atol=2e-5, rtol=1e-4)


def test_fine_tuning_is_adamw_on_all_of_transformers_weights(checkpoint, random_texts):
    """Also of the embeddings that no text has, which ours does not hold."""
    ours, theirs, places, vocabulary = own_and_theirs(checkpoint, random_texts)
    labels = np.random.default_rng(1).integers(3, size=60)
    settings = FineTuning(1e-3, 8, 32, 40, 1)
    orders = epoch_orders(60, 1, 9)
    losses = fine_tune(ours, places, labels, orders, settings)

    before = theirs.transformer.wte.weight.detach().clone()
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=0.0)
    updates = batches(orders[0], np.array([len(text) for text in places]), 8)
    for step, rows in enumerate(updates):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - step / len(updates))
        logits = [theirs(torch.from_numpy(random_texts[row])[None]).logits[0] for row in rows]
        loss = torch.nn.functional.cross_entropy(
            torch.stack(logits), torch.from_numpy(labels[rows])
        )
        assert losses[step] == pytest.approx(loss.item(), rel=1e-3)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimizer.step()
    after = theirs.transformer.wte.weight.detach()
    unseen = np.setdiff1d(np.arange(300), vocabulary)
    assert torch.equal(after[unseen], before[unseen])
    assert not torch.equal(after[vocabulary], before[vocabulary])
    found = ours.get_input_embeddings().weight.detach()[:-1]
    torch.testing.assert_close(found, after[vocabulary], atol=2e-4, rtol=1e-3)


def test_texts_are_encoded_as_transformers_does(tokenizer_folder, tokenizer, texts):
    theirs = AutoTokenizer.from_pretrained(tokenizer_folder)
    pairs = [*zip(texts[:20], texts[20:40], strict=True), ("One.", texts[0]), (texts[0], "")]
    for inputs in (pairs, [(text,) for text in texts[:20]]):
        expected = theirs(*map(list, zip(*inputs, strict=True)), truncation=True, max_length=30)
        ours = encode(tokenizer, inputs, END, 30)
        assert [text.tolist() for text in ours] == expected["input_ids"]
        assert max(map(len, ours)) == 30


def test_text_is_text_and_never_empty(tokenizer):
    empty, special = encode(tokenizer, [("",), ("<|endoftext|>",)], END, 30)
    assert empty.tolist() == [END]
    assert len(special) > 1 and END not in special


def test_no_token_is_added_that_the_model_did_not_learn_from(tokenizer):
    """Though a tokenizer of the hub begins every text with one; corpora are made without it."""
    other = copy.deepcopy(tokenizer)
    other.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", END)]
    )
    assert other.encode("Mia ran.").ids[0] == END
    assert END not in encode(other, [("Mia ran.",)], END, 30)[0]


def test_an_empty_text_is_the_end_of_text_of_the_checkpoint(checkpoint, monkeypatch):
    def read(folder, classes, vocabulary, seed):
        raise RuntimeError(f"tokens {vocabulary}")

    monkeypatch.setattr(evaluate, "read_classifier", read)
    empty = Examples([("",)], np.array([0]))
    with pytest.raises(RuntimeError, match=rf"tokens \[{END}\]"):
        classify(checkpoint, KINDS["sst2"], empty, empty, SETTINGS, [(1, 2)], CPU)


def test_batches_are_alike_in_length_and_random_in_order():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 129, 1003)
    (order,) = epoch_orders(1003, 1, 4)
    found = batches(order, lengths, 8)
    assert sorted(np.concatenate(found)) == list(range(1003))  # each once
    assert sorted(map(len, found)) == [3] + [8] * 125
    padded = sum(len(rows) * lengths[rows].max() for rows in found)
    assert padded < 1.05 * lengths.sum()
    longest = np.array([lengths[rows].max() for rows in found])
    for start in (0, 50):  # within a window, long and short updates are mixed
        assert abs(np.corrcoef(longest[start : start + 50], np.arange(50))[0, 1]) < 0.4
    assert set(np.concatenate(found[:50])) == set(order[:400])  # a window at a time


def test_epochs_may_be_a_fraction():
    assert [len(order) for order in epoch_orders(650, 0.1, 0)] == [65]
    first, second, third = epoch_orders(50, 2.5, 0)
    assert sorted(first) == sorted(second) == list(range(50))
    assert len(third) == 25 and not np.array_equal(first, second)
    assert [len(order) for order in epoch_orders(3, 0.01, 0)] == [1]


def test_seeds_belong_to_lineage_generation_and_task():
    all_of_them = [
        seed
        for lineage in (0, 1)
        for generation in (0, 1)
        for task in ("sst2", "cola")
        for pair in seeds_for(lineage, generation, task, 3)
        for seed in pair
    ]
    assert len(set(all_of_them)) == 48
    assert seeds_for(1, 2, "rte", 3) == seeds_for(1, 2, "rte", 3)


def test_the_first_seeds_are_those_of_results_made_before_there_were_several():
    first = (8011066596284201801, 3706650397085193088)
    assert seeds_for(1, 2, "rte", 1) == [first] == seeds_for(1, 2, "rte", 3)[:1]


def test_figures_by_hand():
    """Of 5 examples 3 are right; F1 of the classes: 2 * 2 / (3 + 3) and 2 * 1 / (2 + 2)."""
    train, labels = np.array([1, 0, 1]), np.array([0, 0, 1, 1, 0])
    found = scores(("bad", "good"), train, labels, np.array([0, 1, 1, 0, 0]))
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["standard_error"] == pytest.approx(math.sqrt(0.6 * 0.4 / 5))
    assert found["weighted_f1"] == pytest.approx(3 / 5 * 4 / 6 + 2 / 5 * 2 / 4)
    assert found["confusion_matrix"] == [[2, 1], [1, 1]]
    assert found["report"]["bad"]["support"] == 3
    # always `good`, the more frequent one in training: right in 2 of 5, its F1 is 2 * 2 / (5 + 2)
    assert found["majority"]["class"] == "good"
    assert found["majority"]["accuracy"] == pytest.approx(0.4)
    assert found["majority"]["weighted_f1"] == pytest.approx(2 / 5 * 4 / 7)


def test_figures_with_a_class_that_never_occurs():
    labels, predictions = np.array([0, 1, 3, 4, 4]), np.array([0, 3, 3, 3, 4])
    found = scores(KINDS["yelp"].classes, labels, labels, predictions)
    assert found["accuracy"] == metrics.accuracy_score(labels, predictions)
    assert found["weighted_f1"] == pytest.approx(
        metrics.f1_score(labels, predictions, average="weighted", zero_division=0)
    )
    assert np.shape(found["confusion_matrix"]) == (5, 5)
    assert list(found["report"]) == list(KINDS["yelp"].classes)


def test_scores_of_several_copies_by_hand():
    """Of 4 examples 3, 2 and 1 are right: a mean of 2/4, a deviation of 1/4 between the copies."""
    train, labels = np.array([0, 1, 1]), np.array([0, 0, 1, 1])
    predictions = [np.array(found) for found in ([0, 1, 1, 1], [0, 1, 1, 0], [1, 1, 1, 0])]
    found = mean_scores(("bad", "good"), train, labels, predictions)
    assert found["by_seed"]["accuracy"] == [0.75, 0.5, 0.25] and found["seeds"] == 3
    assert found["accuracy"] == pytest.approx(0.5)
    assert found["standard_error"] == pytest.approx(math.sqrt(0.5 * 0.5 / 4 + 0.25**2 / 3))
    f1 = [metrics.f1_score(labels, each, average="weighted") for each in predictions]
    assert found["by_seed"]["weighted_f1"] == pytest.approx(f1)
    assert found["weighted_f1"] == pytest.approx(sum(f1) / 3)
    assert found["examples"] == 4 and found["majority"]["accuracy"] == 0.5
    # both classes have 2 examples, which 3 copies classify
    assert found["confusion_matrix"] == [[2, 4], [2, 4]]
    assert found["report"]["good"]["support"] == 6
    assert found["report"]["good"]["recall"] == pytest.approx(4 / 6)


def test_the_error_of_an_accuracy_has_that_of_the_seeds_once():
    """Assumed where there is one, as in artifacts that do not say; measured where there are several."""
    for one in ({}, {"seeds": 1}):
        assert accuracy_error({"standard_error": 0.003, **one}) == pytest.approx(
            math.sqrt(0.003**2 + 0.01**2)
        )
    assert accuracy_error({"standard_error": 0.003, "seeds": 2}) == 0.003


def fixture(name):
    folder = REPOSITORY / "resources/classification"
    return [
        read_files(KINDS[name], [folder / f"{name}_{split}.jsonl"])
        for split in ("train", "validation")
    ]


def run(checkpoint, name="sst2", seeds=((1, 2),), **changes):
    settings = FineTuning(**{**vars(SETTINGS), **changes})
    return classify(checkpoint, KINDS[name], *fixture(name), settings, list(seeds), CPU)


def test_a_model_learns_and_equal_seeds_give_equal_figures(
    model_settings, tokenizer_folder, tmp_path
):
    model = initialise(model_settings, 3)
    write_checkpoint(model, tokenizer_folder, END, {}, tmp_path / "untrained")
    before = {path.name: path.read_bytes() for path in (tmp_path / "untrained").iterdir()}
    found = run(tmp_path / "untrained", "yelp", epochs=20, max_length=64)
    assert found["accuracy"] > 0.5 > found["majority"]["accuracy"]
    assert found["training"]["last_loss"] < found["training"]["loss"]
    assert found["training"]["examples"] == 960 and found["training"]["updates"] == 120
    assert found == run(tmp_path / "untrained", "yelp", epochs=20, max_length=64)
    assert found != run(tmp_path / "untrained", "yelp", epochs=20, max_length=64, seeds=[(1, 3)])
    assert found != run(tmp_path / "untrained", "yelp", epochs=20, max_length=64, seeds=[(3, 2)])
    # it was a copy that learnt
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "untrained").iterdir()}


def test_copies_of_several_seeds_are_those_of_each_alone(checkpoint):
    """Also where they learn from different examples."""
    seeds = [(1, 2), (3, 4), (4, 5)]
    changes = {"name": "yelp", "epochs": 0.75, "max_length": 64}
    alone = [run(checkpoint, seeds=[pair], **changes) for pair in seeds]
    found = run(checkpoint, seeds=seeds, **changes)
    accuracies = [each["accuracy"] for each in alone]
    assert found["by_seed"]["accuracy"] == accuracies and len(set(accuracies)) == 3
    assert found["by_seed"]["weighted_f1"] == [each["weighted_f1"] for each in alone]
    assert found["confusion_matrix"] == sum(
        np.array(each["confusion_matrix"]) for each in alone
    ).tolist()  # fmt: skip
    training = found["training"]
    for key in ("loss", "last_loss"):
        mean = sum(each["training"][key] for each in alone) / 3
        assert training[key] == pytest.approx(mean, rel=1e-6)
    for key in ("examples", "updates"):
        assert training[key] == alone[0]["training"][key]
    assert set(found) - set(alone[0]) == {"seeds", "by_seed"}


def test_a_fraction_of_an_epoch_learns_from_that_many(checkpoint):
    training = run(checkpoint, "mrpc", epochs=0.25, max_length=64)["training"]
    assert (training["examples"], training["updates"]) == (12, 2)


def test_a_fraction_of_an_epoch_learns_the_examples_own_labels(checkpoint):
    """Half of the fixture 40 times over is as good as all of it 20 times."""
    train, validation = fixture("yelp")
    train = Examples(train.texts * 40, np.tile(train.labels, 40))
    settings = FineTuning(1e-2, 8, 32, 64, 0.5)
    found = classify(checkpoint, KINDS["yelp"], train, validation, settings, [(1, 2)], CPU)
    assert found["training"]["examples"] == 960
    assert found["training"]["last_loss"] < 0.5


def test_texts_longer_than_the_model_are_refused(checkpoint):
    with pytest.raises(UserError, match="may have 65 tokens, the model has 64 positions"):
        run(checkpoint, max_length=65)


def test_a_damaged_checkpoint_is_named(checkpoint):
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="checkpoint is damaged: model.safetensors does not"):
        run(checkpoint)


def test_another_tokenizer_is_refused(checkpoint):
    with pytest.raises(UserError, match="has a token 300, the model a vocabulary of 300"):
        read_classifier(checkpoint, 2, np.array([1, 2, 300]), 0)


def test_a_diverging_loss_says_what_to_lower(checkpoint):
    with pytest.raises(UserError, match="The loss of fine-tuning is .* Lower `learning_rate`"):
        run(checkpoint, learning_rate=1e30)
