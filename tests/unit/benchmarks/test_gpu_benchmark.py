"""benchmarks/gpu.py, whose steps run here on a CPU, tiny: its own code is right before it meets a GPU."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tools import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
import gpu

CPU = gpu.Machine("cpu", gpu.TINY)


@pytest.mark.slow
def test_every_step_is_taken():
    ran = subprocess.run(
        [sys.executable, REPOSITORY / "benchmarks/gpu.py", "--device", "cpu"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    *lines, verdict = map(json.loads, ran.stdout.splitlines())
    assert [line["step"] for line in lines] == [step.__name__ for step in gpu.STEPS]
    assert not any("error" in line for line in lines)
    assert sum(line["ok"] is True for line in lines) == 5
    assert verdict["verdict"] == "right" and verdict["rates"]["demo"].keys() == {"sample", "train"}


def test_without_a_gpu_it_says_what_can_be_done():
    ran = subprocess.run(
        [sys.executable, REPOSITORY / "benchmarks/gpu.py"], capture_output=True, text=True
    )
    assert ran.returncode != 0 and "torch sees no GPU here; `--device cpu`" in ran.stderr


def test_a_step_that_fails_is_not_the_last(monkeypatch):
    def breaks(machine):
        raise MemoryError("no room")

    monkeypatch.setattr(gpu, "STEPS", [breaks, gpu.versions])
    lines = []
    verdict = gpu.run(CPU, 1, lines.append)
    assert [line.get("ok") for line in lines] == [False, None, None]
    assert lines[0]["error"] == "MemoryError: no room" and lines[1]["found"]["torch"]
    assert verdict["verdict"] == "wrong" and verdict["wrong"] == ["breaks"]
    lines.clear()
    assert gpu.run(CPU, -1, lines.append)["verdict"] == "right"
    assert all("left out" in line["error"] for line in lines[:-1])


def test_samples_and_draws_that_are_wrong_are_called_so(monkeypatch):
    ok, _ = gpu.samples_follow_their_model(CPU)
    assert ok
    right = gpu.sample
    late = lambda *a, **b: (np.roll(part, 1, 1) for part in right(*a, **b))  # noqa: E731
    monkeypatch.setattr(gpu, "sample", late)
    assert not gpu.samples_follow_their_model(CPU)[0]
    draw = gpu.Head.draw
    monkeypatch.setattr(gpu.Head, "draw", lambda *a: draw(*a).clamp(max=650))  # of 700 tokens
    assert not gpu.draws_against_their_probabilities(CPU)[0]
