"""Speeds by arithmetic, and what is said of a run that takes days."""

import copy

import pytest
from plan_inputs import CORPORA, LINEAGE, MACHINE_SPEED, MODEL, RATES, job, shard

from ouroboros.planning import arithmetic
from ouroboros.planning.arithmetic import (
    CORE,
    GPU,
    GPU_TOKEN,
    UPDATE,
    assumed_rates,
    estimate,
    has_gpu,
    warning,
)

HEAD, BODY = 300 * 16, 12 * 3 * 16**2  # weights that each token is multiplied with
TRAIN = {"gpu": 1, "threads": 4}
ASKED = dict.fromkeys(("train", "sample", "ppl"), TRAIN) | {
    "classification": {"gpu": 0, "threads": 1}
}


def test_two_operations_per_weight_and_three_passes_in_training():
    rates = assumed_rates({"model": MODEL, "resources": ASKED}, 300, cores=2, any_gpu=False)
    assert rates["sample"]["tokens_per_second"] == pytest.approx(2 * CORE / (2 * (HEAD + BODY)))
    assert rates["ppl"] == rates["sample"] and rates["sample"]["device"] == "cpu"
    assert rates["train"]["tokens_per_second"] == pytest.approx(2 * CORE / (6 * (HEAD + BODY)))
    tuning = rates["fine_tuning"]
    assert tuning["seconds_per_token"] == pytest.approx(6 * BODY / CORE)
    assert tuning["seconds_per_update"] == UPDATE


def test_a_gpu_is_for_jobs_that_ask_for_one():
    lineage = {"model": MODEL, "resources": ASKED}
    rates = assumed_rates(lineage, 300, cores=2, any_gpu=True)
    each = GPU_TOKEN + 6 * (HEAD + BODY) / GPU
    assert rates["train"]["tokens_per_second"] == pytest.approx(1 / each)
    assert rates["fine_tuning"] == assumed_rates(lineage, 300, 2, False)["fine_tuning"]


@pytest.mark.parametrize(
    "name, training, sampling", [("1m", 3049, 9067), ("33m", 624, 1082), ("demo", 59_000, 300_743)]
)
def test_arithmetic_is_good_to_a_factor_of_3(name, training, sampling):
    """Against docs/performance.md, tokens per second on 2 cores."""
    from tools import CONFIG

    model = {"positions": 2048, **CONFIG["models"][name]}
    vocabulary = 1024 if name == "demo" else 50_257
    rates = assumed_rates({"model": model, "resources": ASKED}, vocabulary, 2, False)
    for rule, measured in (("train", training), ("sample", sampling)):
        assert 1 / 3 < rates[rule]["tokens_per_second"] / measured < 3


def facts():
    lineage = copy.deepcopy(LINEAGE) | {
        "tokenizer": "t", "model_name": "m", "resources": ASKED, "name": "l",
    }  # fmt: skip
    return {
        "lineages": {"l": lineage}, "tokenizers": {"t": {"source": "gpt2"}},
        "epochs": {"l": {"epochs": 3}}, "tasks": {}, "judges": {},
        "corpora": {"own": {"settings": {"source": "hub", "held_out": 0.05}, "bytes": {},
                            "tokenizer": {"source": "gpt2"}, "counts": CORPORA["own"]}},
        "plan": {"epochs": 3, "corpora": {}, "tasks": {}, "rates": {}},
        "calibrations": {"l": "c.json"},
    }  # fmt: skip


def test_what_has_been_measured_goes_before_arithmetic():
    measured = {rule: {**rate, "device": "cpu"} for rule, rate in RATES.items()}
    files = {"c.json": measured, "results/calibration/machine.json": MACHINE_SPEED}
    jobs = [job("train", [shard(3, 0)], n="4")]
    seconds = estimate(jobs, facts(), files.get, gpus=1, cores=2, any_gpu=False)
    assert seconds == pytest.approx(1.1 + 2 + 4 + 3 * 320 / 10)
    by_arithmetic = estimate(jobs, facts(), {}.get, gpus=1, cores=2, any_gpu=False)
    assert by_arithmetic == pytest.approx(0.1 + 0.3 + 1.5 + 1.0, abs=0.1)  # starts alone


def test_a_gpu_that_is_hidden_is_none(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(arithmetic, "DEVICES", (str(tmp_path / "none"),))
    assert not has_gpu()
    monkeypatch.setattr(arithmetic, "DEVICES", (str(tmp_path / "none"), str(tmp_path)))
    assert has_gpu()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not has_gpu()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(86_401, "about 24 hours"), (40 * 3600, "about 40 hours"), (3.2 * 86_400, "about 3 days"),
     (592.3 * 86_400, "about 590 days"), (4912 * 86_400, "about 4,900 days")],
)  # fmt: skip
def test_a_run_of_days_is_told_with_what_to_do(seconds, said):
    words = warning(seconds, "2 cores, no GPU", 7200, "snakemake plan")
    assert said in words and "on a GPU such as an H100 about 2 hours" in words
    assert "`snakemake plan` proposes" in words and "factor of 3" in words and "\n" not in words
    assert "H100" not in warning(seconds, "2 cores, no GPU", None, "snakemake plan")


def test_nothing_is_said_of_a_run_that_ends_within_a_day():
    assert warning(86_400, "2 cores, no GPU", None, "snakemake plan") is None
