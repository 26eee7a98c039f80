"""Lineages of transformers' architectures through the workflow, with every measurement of two generations."""

import copy

import pytest
from tools import TINY

from ouroboros.storage.atomic import read_json

ARCHITECTURES = {
    "gpt2": {}, "llama": {"intermediate_size": 32}, "gpt_neox": {"intermediate_size": 32},
    "qwen2": {"intermediate_size": 32},
}  # fmt: skip

MEASUREMENTS = ("ppl", "text", "oov", "theory", "support", "classification/small")


def with_architecture(architecture):
    config = copy.deepcopy(TINY)
    config["models"]["tiny"] = {
        "family": "hf", "architecture": architecture, "layers": 2, "hidden_size": 16, "heads": 2, "positions": 32,
        "settings": ARCHITECTURES[architecture],
    }  # fmt: skip
    config["tasks"] = {"small": {"kind": "sst2", "source": "fixture"}}
    config["evaluation"]["tiny"]["classification"] = {"tasks": ["small"], "max_length": 16}
    config["lineages"]["tiny"]["generations"] = 2
    config["sampling"]["tiny"]["shards"] = 1
    config["training"]["tiny"]["epochs"] = 2
    return config


@pytest.mark.slow  # jobs import transformers, a hundred seconds in all; tests/unit/model/families/hf/test_hf.py is quick
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_two_generations_with_every_measurement(workflow, architecture):
    workflow.configure(with_architecture(architecture))
    last = [f"results/tiny/gen2/{name}.json" for name in MEASUREMENTS]
    result = workflow.run(*last, "results/tiny/baseline/ppl.json")
    assert result.returncode == 0, result.stdout[-4000:]
    results = workflow.folder / "results/tiny"
    untrained, last = (read_json(results / f"{lm}/ppl.json")["loss"] for lm in ("baseline", "gen2"))
    assert last < untrained - 0.5
    config = read_json(results / "gen2/checkpoint/config.json")
    assert (config["model_type"], config["family"]) == (architecture, "hf")
    assert 0 <= read_json(results / "gen2/classification/small.json")["accuracy"] <= 1
    assert read_json(results / "gen2/theory.json")["identity_error"] < 1e-6
