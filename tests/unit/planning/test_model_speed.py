"""Timing of growing runs, the rates computed from them, and a real measurement of a tiny model."""

import os
import subprocess
import sys

import pytest

from ouroboros.planning import model_speed
from ouroboros.planning.model_speed import (
    doubled_sizes,
    extrapolate_steps,
    measure_model_speed,
    time_growing,
)


def test_sizes_double_up_to_the_most():
    assert doubled_sizes(16, 100) == [16, 32, 64, 100]
    assert doubled_sizes(16, 16) == [16]


def test_steps_are_a_constant_and_a_time_per_key():
    """0.5 s a step and 0.01 s a key, of one layer that looks back 4 tokens and one without limit."""

    def seconds(steps):
        keys = sum(min(t + 1, 4) + (t + 1) for t in range(steps))
        return 0.5 * steps + 0.01 * keys

    runs = [(8, seconds(8)), (16, seconds(16))]
    assert extrapolate_steps(runs, 200, [4, 1000]) == pytest.approx(seconds(200))
    assert extrapolate_steps([*runs, (200, 7.0)], 200, [4, 1000]) == 7.0  # measured in full


def test_noise_makes_no_negative_rate():
    """The longer run was quicker than its constant part: no key costs less than nothing."""
    assert extrapolate_steps([(8, 8.0), (16, 8.0)], 64, [100]) == pytest.approx(8.0 * 64 / 16)


def test_a_measurement_grows_until_it_takes_long_enough(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(model_speed.time, "perf_counter", lambda: clock[0])
    sizes = []

    def run(size):  # the very first compiles for 3 s
        clock[0] += 0.3 * size + (0 if sizes else 3.0)
        sizes.append(size)

    start, runs = time_growing(run, [1, 2, 4, 8, 16])
    assert start == pytest.approx(3.0)
    assert [size for size, _ in runs] == [1, 2, 4]  # 1.2 s is the first above one
    assert runs[-1][1] == pytest.approx(1.2)


@pytest.mark.parametrize(
    "sequences, batch, decoding", [(20, 20, {}), ("auto", 128, {"decoding": {"top_p": 0.9}})]
)
def test_every_rate_of_a_tiny_model(monkeypatch, texts, sequences, batch, decoding):
    monkeypatch.setattr(model_speed, "MIN_SECONDS", 0.01)
    settings = {
        "model": {"layers": 2, "hidden_size": 16, "heads": 2, "window": 8, "context": 32,
                  "positions": 32, "initial_std": 0.02},
        "tokenizer": {"source": "train", "vocabulary_size": 300},
        "training": {"batch": 4, "learning_rate": 1e-3, "betas": [0.9, 0.95], "weight_decay": 0.1,
                     "gradient_clip": 1.0, "epochs": "auto", "max_epochs": 2, "patience": 1,
                     "precision": "fp32"},
        "sequence_length": 32, "sequences": sequences, "context": 32,
        "classification": {"tasks": ["any"], "learning_rate": 1e-3, "batch": 2, "eval_batch": 2,
                           "max_length": 32, "epochs": 1},
        "resources": {
            "train": {"gpu": 0, "threads": 1, "batch": 2},
            "sample": {"gpu": 0, "threads": 1, "batch": "auto"},
            "ppl": {"gpu": 0, "threads": 1, "batch": 4},
            "classification": {"gpu": 0, "threads": 1, "batch": None},
        },
    }  # fmt: skip
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        measured = measure_model_speed(settings | decoding, texts[:50])
    finally:
        other.kill()
        other.wait()
    assert 0.2 / os.cpu_count() < measured["busy"] <= 1
    for rule in ("train", "sample", "ppl"):
        assert measured[rule]["tokens_per_second"] > 0 and measured[rule]["start"] >= 0
        assert measured[rule]["device"] == "cpu"
    assert measured["sample"]["batch"] == batch  # no more than there are to sample
    tuning = measured["fine_tuning"]
    assert tuning["seconds_per_update"] + 64 * tuning["seconds_per_token"] > 0
