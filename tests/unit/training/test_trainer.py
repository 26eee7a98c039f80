"""Training: what an update is, how epochs are found, and that it can be repeated."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tools import END, initialise
from transformers import GPTNeoConfig, GPTNeoForCausalLM, Trainer, TrainingArguments

from ouroboros.data.corpus import Corpus
from ouroboros.errors import UserError
from ouroboros.model.families.gpt_neo.settings import GPTNeoSettings
from ouroboros.randomness import permutation, seed_for
from ouroboros.training.early_stopping import train_until_best
from ouroboros.training.trainer import Training, TrainingSettings, train

CPU = torch.device("cpu")
SETTINGS = TrainingSettings(
    batch=8, learning_rate=3e-3, betas=(0.9, 0.95), weight_decay=0.1, gradient_clip=1.0,
    epochs="auto", max_epochs=4, patience=1, precision="fp16",
)  # fmt: skip


@pytest.fixture
def corpus():
    """21 sequences of 32 tokens in which every token but the first says what the next one is."""
    rng = np.random.default_rng(0)
    first = rng.integers(1, 300, 21)
    tokens = (first[:, None] + 7 * np.arange(32)) % 299 + 1
    return Corpus(tokens.astype(np.uint16), rng.integers(0, 300, 21).astype(np.uint16))


def training(model_settings, corpus, micro_batch=8, settings=SETTINGS, **changes):
    arguments = {"seed": 0, "generation": 1, "device": CPU} | changes
    weights = seed_for(arguments["seed"], arguments["generation"], "weights")
    model = initialise(model_settings, weights)
    return Training(model, settings, corpus, micro_batch=micro_batch, **arguments)


@pytest.mark.parametrize("count, micro_batch", [(8, 8), (5, 2)])  # a whole update, a remainder
@pytest.mark.parametrize("clip", [0.1, 1e9])
def test_one_update_by_hand(model_settings, corpus, count, micro_batch, clip):
    """The mean loss over all tokens of the update, clipped, then AdamW, written out plainly."""
    job = training(model_settings, corpus, micro_batch, replace(SETTINGS, gradient_clip=clip))
    before = {name: p.detach().clone() for name, p in job.model.named_parameters()}
    rows = np.arange(count)
    inputs = np.concatenate([corpus.previous[rows, None], corpus.tokens[rows, :-1]], 1)
    logits = job.model.logits(torch.from_numpy(inputs.astype(np.int64))).flatten(0, 1)
    targets = torch.from_numpy(corpus.tokens[rows].astype(np.int64)).flatten()
    loss = F.cross_entropy(logits, targets)
    gradients = dict(
        zip(before, torch.autograd.grad(loss, list(job.model.parameters())), strict=True)
    )
    norm = math.sqrt(sum(float(g.double().square().sum()) for g in gradients.values()))
    assert job.update(rows) == pytest.approx(loss.item(), rel=1e-5)
    for name, parameter in job.model.named_parameters():
        gradient = gradients[name] * min(1.0, clip / (norm + 1e-6))
        # itself too: no factor of it would show in the step
        assert torch.allclose(parameter.grad, gradient, rtol=1e-4, atol=1e-7), name
        decay = 0.1 if parameter.dim() > 1 else 0.0
        # AdamW's first step: the averages, corrected for their start at zero, are the gradient
        step = gradient / (gradient.abs() + 1e-8)
        expected = before[name] * (1 - 3e-3 * decay) - 3e-3 * step
        sure = gradient.abs() > 1e-6  # where its sign does not hang on rounding
        assert torch.allclose(parameter[sure], expected[sure], atol=1e-6), name


@pytest.mark.parametrize("micro_batch", [2, 8])
def test_a_hidden_target_counts_for_nothing(model_settings, corpus, micro_batch):
    """The mean over the other targets, whatever micro-batch they are in, as transformers' ignore_index."""
    hidden = int(corpus.tokens[3, 5])
    corpus.tokens[:, 20:] = hidden  # as in padded rows, though a few are among the text
    corpus.tokens[2:4] = hidden  # a micro-batch of empty stories
    job = training(model_settings, corpus, micro_batch, hidden_target=hidden)
    rows = np.arange(8)
    inputs = np.concatenate([corpus.previous[rows, None], corpus.tokens[rows, :-1]], 1)
    logits = job.model.logits(torch.from_numpy(inputs.astype(np.int64))).flatten(0, 1)
    targets = torch.from_numpy(corpus.tokens[rows].astype(np.int64)).flatten()
    loss = F.cross_entropy(logits, targets, ignore_index=hidden)
    expected = torch.autograd.grad(loss, job.model.wte.weight)[0]
    settings = replace(SETTINGS, gradient_clip=1e9)
    job = training(model_settings, corpus, micro_batch, settings, hidden_target=hidden)
    assert job.update(rows) == pytest.approx(loss.item(), rel=1e-5)
    assert torch.allclose(job.model.wte.weight.grad, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        (None, [1, 1, 1, 1, 1, 1]),
        ("linear", [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
        ("cosine", [1, 0.9330127, 0.75, 0.5, 0.25, 0.0669873]),  # cosines of 30 and 60 degrees
    ],
)
def test_the_learning_rate_of_every_update(model_settings, corpus, schedule, shares):
    """Without momentum and with gradients of one sign a step is as long as its learning rate."""
    settings = replace(SETTINGS, betas=(0.0, 0.0), weight_decay=0.0, epochs=2, schedule=schedule)
    job = training(model_settings, corpus, settings=settings)
    steps = []
    for rows in [np.arange(8)] * 6:  # two epochs of 21 sequences
        before = job.model.wte.weight.detach().clone()
        job.losses.append(job.update(rows))
        steps.append(float((job.model.wte.weight.detach() - before).abs().median()))
    assert steps == pytest.approx([3e-3 * share for share in shares], rel=1e-3)


@pytest.mark.parametrize("micro_batch", [1, 3, 8])
def test_micro_batches_accumulate_to_the_same_update(model_settings, corpus, micro_batch):
    whole, split = (training(model_settings, corpus, size) for size in (8, micro_batch))
    whole.epoch()  # 8 + 8 + 5 sequences: the remainder is an update of its own
    split.epoch()
    assert len(whole.losses) == len(split.losses) == 3
    assert split.losses == pytest.approx(whole.losses, rel=1e-4)


def test_an_epoch_sees_every_sequence_once_in_an_order_of_its_own(model_settings, corpus):
    job = training(model_settings, corpus, seed=3, generation=2)
    seen = []
    job.update = lambda rows: seen.append(rows) or 1.0
    job.epoch()
    job.epoch()
    assert [len(rows) for rows in seen] == [8, 8, 5] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(range(21))
    for epoch in (0, 1):  # the seed and the generation decide it
        order = permutation(seed_for(3, 2, "order"), epoch, 21)
        expected = [set(order[:8]), set(order[8:16]), set(order[16:])]
        assert [set(rows) for rows in seen[3 * epoch : 3 * epoch + 3]] == expected
    assert {frozenset(rows) for rows in seen[:3]} != {frozenset(rows) for rows in seen[3:]}


def test_a_state_is_kept_at_the_end_of_every_epoch_and_progress_counts_all_tokens(
    model_settings, corpus, caplog
):
    """However long the time between states; of an interrupted epoch, the tokens that were left."""
    caplog.set_level("INFO")
    kept = []
    keeper = SimpleNamespace(due=lambda: False, keep=lambda record, _: kept.append(len(job.losses)))
    job = training(model_settings, corpus, keeper=keeper)
    job.epoch()
    job.losses.pop()
    job.epoch()
    assert kept == [3, 3]
    ends = [line for line in caplog.messages if "100 %" in line]
    assert "672 of 672 tokens" in ends[0] and "160 of 160 tokens" in ends[1]


def test_it_learns(model_settings, corpus):
    """Each token gives the next one away, so the loss can fall far below that of guessing."""
    job = training(model_settings, corpus)
    train(job, epochs=150)
    assert job.losses[0] == pytest.approx(math.log(300), rel=0.02)
    assert job.losses[-1] < 1.5


def test_equal_seeds_give_equal_weights(model_settings, corpus):
    def weights(**changes):
        return train(training(model_settings, corpus, **changes), epochs=2).wte.weight

    assert torch.equal(weights(), weights())
    assert not torch.equal(weights(), weights(seed=1))
    assert not torch.equal(weights(), weights(generation=2))


EARLY = "early stopping"
FALLING = [9.0 - epoch for epoch in range(9)]


@pytest.mark.parametrize(
    "losses, settings, tried, best, ended_by",
    [
        ([5.0, 4.0, 4.5, 1.0], {"patience": 1}, 3, 2, EARLY),
        ([5.0, 4.0, 4.5, 1.0, 2.0, 3.0, 0.5], {"patience": 2, "max_epochs": 9}, 6, 4, EARLY),
        ([5.0, 4.0, 4.5, 4.25, 3.0, 9.0, 9.0, 9.0], {"patience": 3, "max_epochs": 9}, 8, 5, EARLY),
        ([5.0, 4.0, 4.0, 3.0], {"patience": 1}, 3, 2, EARLY),  # as low again is no gain
        ([5.0, 6.0, 1.0], {"patience": 1}, 2, 1, EARLY),
        ([5.0, 4.0, 4.5], {"patience": 1, "max_epochs": 3}, 3, 2, EARLY),  # both at once
        ([5.0, 4.0, 4.5], {"patience": 2, "max_epochs": 3}, 3, 2, "max_epochs"),
        (FALLING, {"patience": 1, "max_epochs": 5}, 5, 5, "max_epochs"),
        (FALLING, {"patience": 1, "max_epochs": 1}, 1, 1, "max_epochs"),
        # the last, not the best
        ([5.0, 6.0, 7.0, 8.0], {"epochs": 3, "max_epochs": 2}, 3, 3, "config"),
    ],
)
def test_early_stopping_keeps_the_best_epoch(
    model_settings, corpus, monkeypatch, losses, settings, tried, best, ended_by
):
    """It stops `patience` epochs after the best, at `max_epochs` at the latest, and gives the best's weights."""
    after = []
    job = training(model_settings, corpus, settings=replace(SETTINGS, **settings))
    run = job.epoch

    def epoch():
        run()
        after.append(job.model.wte.weight.detach().clone())

    job.epoch = epoch
    left = iter(losses)
    monkeypatch.setattr(
        "ouroboros.training.early_stopping.story_losses",
        lambda *_: [np.full(4, next(left), np.float32)],
    )
    model, found = train_until_best(job, [np.arange(1, 5, dtype=np.uint16)], 0)
    assert (found["epochs"], found["found_by"]) == (best, ended_by)
    assert found["held_out_losses"] == losses[:tried]
    assert torch.equal(model.wte.weight, after[best - 1])


def test_the_held_out_loss_is_of_whole_contexts_after_the_end_of_text(model_settings, corpus):
    """The mean over all tokens of the stories, each cut at the model's context."""
    stories = [corpus.tokens[0], corpus.tokens[1, :9]]  # of 32 tokens and of 9; the context is 24
    model, found = train_until_best(training(model_settings, corpus), stories, END)
    losses = []
    for story in stories:
        targets = torch.from_numpy(story[:24].astype(np.int64))
        with torch.no_grad():
            logits = model.logits(torch.cat([torch.tensor([END]), targets[:-1]])[None])[0]
        losses.append(F.cross_entropy(logits, targets, reduction="none"))
    expected = torch.cat(losses).mean().item()
    assert found["held_out_losses"][found["epochs"] - 1] == pytest.approx(expected, rel=1e-5)


def test_early_stopping_equals_training_for_the_number_it_found(model_settings, corpus):
    held_out = [corpus.tokens[0], corpus.tokens[1]]
    model, found = train_until_best(training(model_settings, corpus), held_out, 0)
    again = train(training(model_settings, corpus), found["epochs"])
    assert torch.equal(model.wte.weight, again.wte.weight)


def test_a_fixed_number_of_epochs_is_kept(model_settings, corpus):
    job = training(model_settings, corpus, settings=replace(SETTINGS, epochs=2))
    _, found = train_until_best(job, [corpus.tokens[0]], 0)
    assert found["epochs"] == job.epochs == 2


def test_a_loss_that_is_not_finite_stops_with_its_place(model_settings, corpus):
    settings = replace(SETTINGS, learning_rate=1e9, gradient_clip=1e9)
    job = training(model_settings, corpus, settings=settings, generation=4)
    with pytest.raises(
        UserError, match="loss of generation 4 is .* at update .*learning_rate"
    ) as e:
        train(job, epochs=20)
    assert "in a row" not in str(e.value)  # at the first one: only fp16's scaler skips any
    assert job.skipped == 1


def test_sequences_longer_than_the_positions(model_settings, corpus):
    with pytest.raises(UserError, match="32 tokens, the model 16 positions"):
        training(replace(model_settings, positions=16), corpus)


def test_tokens_outside_the_vocabulary(model_settings, corpus):
    with pytest.raises(UserError, match="only 200 tokens"):
        training(replace(model_settings, vocabulary_size=200), corpus)


def test_fifty_steps_follow_the_trainer_of_transformers(tmp_path):
    """The same weights and sequences in the same order; our loss curve and theirs, to 1e-3."""
    settings = GPTNeoSettings(
        layers=4, hidden_size=64, heads=16, window=32, context=2048, positions=128,
        initial_std=0.02, vocabulary_size=500,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    words = rng.integers(
        1, 500, (40, 8)
    )  # sequences of recurring words, so that there is much to learn
    rows = np.stack([words[rng.integers(0, 40, 13)].ravel()[:100] for _ in range(200)])
    # what their loss predicts are the tokens after the first; ours has that one as `previous`
    corpus = Corpus(rows[:, 1:].astype(np.uint16), rows[:, 0].astype(np.uint16))
    job = training(settings, corpus, 2, replace(SETTINGS, batch=4, precision="fp32"))
    theirs = GPTNeoForCausalLM(GPTNeoConfig(**job.model.config(0)))
    theirs.load_state_dict(job.model.weights(), strict=False)
    theirs.tie_weights()
    arguments = TrainingArguments(
        tmp_path, max_steps=50, per_device_train_batch_size=2, gradient_accumulation_steps=2,
        learning_rate=3e-3, adam_beta1=0.9, adam_beta2=0.95, weight_decay=0.1, max_grad_norm=1.0,
        lr_scheduler_type="constant", logging_steps=1, save_strategy="no", report_to=[], use_cpu=True,
        disable_tqdm=True, train_sampling_strategy="sequential",
    )  # fmt: skip
    data = [{"input_ids": row, "labels": row} for row in torch.from_numpy(rows)]
    trainer = Trainer(theirs, arguments, train_dataset=data)
    trainer.train()
    expected = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    losses = [job.update(np.arange(4 * step, 4 * step + 4)) for step in range(50)]
    assert len(expected) == 50
    assert losses[-1] < losses[0] - 1  # it learnt
    assert np.abs(np.array(losses) - expected).max() < 1e-3
