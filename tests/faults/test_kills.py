"""Killed at any moment and started again by the two documented commands, it makes the same bytes."""

import os
import secrets
import shutil
import signal
import time

import kills
import pytest
from every_family import with_families
from every_regime import SETTINGS, with_regimes

SEED = int(os.environ.get("OUROBOROS_KILLS_SEED", secrets.randbelow(10**6)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return kills.undisturbed(tmp_path_factory.mktemp("kills") / "undisturbed")


def started(victim, condition):
    """Start it and wait until `condition` holds."""
    process = victim.start()
    while not condition():
        assert process.poll() is None, (victim.folder / "output.txt").read_text()[-4000:]
        time.sleep(0.05)
    return process


@pytest.mark.slow  # unit/jobs/test_resume.py kills after any update, slurm/test_slurm.py a whole node
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_carry_on_where_they_were(undisturbed, tmp_path, number):
    """Killed in the middle of training and again soon after it was resumed; then while sampling."""
    victim = undisturbed.copy(tmp_path / "victim")
    shutil.rmtree(victim.folder / "results/tiny")  # all but what is made before the training
    shutil.rmtree(victim.folder / "logs")
    for log, folder in (
        ("gen1/train", "gen1/checkpoint.state"),
        ("gen1/sample-00000", "gen1/corpus/shard-00000.state"),
    ):
        log = victim.folder / f"logs/tiny/{log}.log"
        state = victim.folder / f"results/tiny/{folder}/000002.safetensors"
        process = started(victim, state.exists)
        kills.kill(process, number)
        assert (f"Stopped by {number.name}" in log.read_text()) == (number != signal.SIGKILL)
        victim.unlock()
        carries_on = lambda log=log: log.exists() and "Resuming after" in log.read_text()  # noqa: E731
        process = started(victim, carries_on)
        if log.stem == "train":
            kills.kill(process, signal.SIGKILL)
            victim.unlock()
    assert process.wait() == 0, (victim.folder / "output.txt").read_text()[-4000:]
    made, expected = victim.settled(), undisturbed.settled()
    assert made.keys() == expected.keys()
    assert kills.differing_bytes(made, expected) == 0


@pytest.mark.slow
def test_random_kills_change_no_byte(undisturbed, tmp_path):
    """The seed is printed; OUROBOROS_KILLS_SEED sets it. tests/support/kills.py kills as often as one likes."""
    total = kills.campaign(tmp_path, undisturbed, 30, SEED)
    assert total["kills"] == 30
    assert total["differing"] == 0
    assert total["artifacts"] > 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "make, number, artifacts",
    [
        (lambda config: with_regimes(SETTINGS, 3, config), 12, 80),
        (lambda config: with_families(3, config), 6, 16),
    ],
    ids=["regimes", "families"],
)
def test_random_kills_change_no_byte_of_any(make, number, artifacts, tmp_path):
    config = make(kills.long_jobs())
    targets = [f"results/{name}/gen3/checkpoint" for name in config["lineages"]]
    reference = kills.undisturbed(tmp_path / "undisturbed", config, targets)
    total = kills.campaign(tmp_path, reference, number, SEED)
    assert total["kills"] == number
    assert total["differing"] == 0
    assert total["artifacts"] > artifacts
