"""Inputs of the cost model: found and given numbers are used, and others are said to be assumed."""

import pytest
from plan_inputs import CORPORA, LINEAGE, RATES

from ouroboros.planning.assumptions import cost_inputs


def facts(gpus, rates):
    lineage = {**LINEAGE, "tokenizer": "t", "model_name": "m",
               "resources": {rule: {"gpu": gpus} for rule in ("train", "sample", "ppl")}}  # fmt: skip
    return {
        "lineages": {"l": lineage}, "tokenizers": {"t": {"source": "gpt2"}},
        "epochs": {"l": {"epochs": 5}}, "tasks": {}, "judges": {},
        "corpora": {"own": {"settings": {"source": "hub", "held_out": 0.05}, "bytes": {},
                            "tokenizer": {"source": "gpt2"}, "counts": CORPORA["own"]}},
        "plan": {"epochs": 3, "corpora": {}, "tasks": {}, "rates": {"m": rates}},
    }  # fmt: skip


def test_found_epochs_and_given_rates_are_used():
    known = facts(1, {"train": 1.0, "sample": 2.0, "ppl": 3.0, "fine_tuning": 8.0})
    inputs, notes = cost_inputs(known, {}, {})
    assert inputs["lineages"]["l"]["epochs"] == 5
    rates = inputs["lineages"]["l"]["rates"]
    assert rates["sample"]["tokens_per_second"] == 2.0
    assert rates["fine_tuning"]["seconds_per_update"] == 0.5
    assert not any("WARNING" in note or "assumed" in note for note in notes)
    training = known["lineages"]["l"]["training"]
    known["lineages"]["l"]["training"] = {**training, "epochs": 2}  # fixed since they were found
    assert cost_inputs(known, {}, {})[0]["lineages"]["l"]["epochs"] == 2
    known["lineages"]["l"]["training"] = training
    known["epochs"]["l"] = None
    assert any("3 epochs" in note for note in cost_inputs(known, {}, {})[1])


@pytest.mark.parametrize("device, gpus, factor", [("cpu", 2, 1), ("H100", 0, 1), ("H100", 1, 1), ("H100", 4, 4)])  # fmt: skip
def test_training_on_several_gpus_has_as_many_times_the_rate(device, gpus, factor):
    measured = {rule: {**rate, "device": device} for rule, rate in RATES.items()}
    inputs, notes = cost_inputs(facts(gpus, {}), {"l": measured}, {})
    rates = inputs["lineages"]["l"]["rates"]
    assert rates["train"]["tokens_per_second"] == factor * 10.0
    assert rates["sample"]["tokens_per_second"] == 20.0
    assert any(f"{factor} times the rate of one GPU" in note for note in notes) == (factor > 1)
    assert any("WARNING" in note for note in notes) == (device == "cpu")


@pytest.mark.parametrize("busy", [0.05, 0.4])
def test_rates_that_other_work_disturbed_are_said_to_be(busy):
    measured = {rule: {**rate, "device": "cpu"} for rule, rate in RATES.items()}
    notes = cost_inputs(facts(0, {}), {"l": {**measured, "busy": busy}}, {})[1]
    assert any(f"other work took {busy:.0%}" in note for note in notes) == (busy > 0.1)
