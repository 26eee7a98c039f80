"""Killed at any moment and started again by the two documented commands, it makes the same bytes."""

import os
import secrets
import signal
import time

import pytest
from kills import Victim, campaign, differing_bytes, kill

KILLS = int(os.environ.get("OUROBOROS_KILLS", "3"))
SEED = int(os.environ.get("OUROBOROS_KILLS_SEED", secrets.randbelow(10**6)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    victim = Victim(tmp_path_factory.mktemp("kills") / "undisturbed")
    assert victim.start().wait() == 0, (victim.folder / "output.txt").read_text()[-4000:]
    return victim.settled()


def started(victim, condition):
    """Start it and wait until `condition` holds."""
    process = victim.start()
    while not condition():
        assert process.poll() is None, (victim.folder / "output.txt").read_text()[-4000:]
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_carry_on_where_they_were(undisturbed, tmp_path, number):
    """Killed in the middle of training and again soon after it was resumed; then while sampling."""
    victim = Victim(tmp_path / "victim")
    for log, folder in (
        ("gen1/train", "gen1/checkpoint.state"),
        ("gen1/sample-00000", "gen1/corpus/shard-00000.state"),
    ):
        log = victim.folder / f"logs/tiny/{log}.log"
        state = victim.folder / f"results/tiny/{folder}/000002.safetensors"
        process = started(victim, state.exists)
        kill(process, number)
        assert (f"Stopped by {number.name}" in log.read_text()) == (number != signal.SIGKILL)
        victim.unlock()
        carries_on = lambda log=log: log.exists() and "Resuming after" in log.read_text()  # noqa: E731
        process = started(victim, carries_on)
        if log.stem == "train":
            kill(process, signal.SIGKILL)
            victim.unlock()
    assert process.wait() == 0, (victim.folder / "output.txt").read_text()[-4000:]
    assert victim.settled().keys() == undisturbed.keys()
    assert differing_bytes(victim.settled(), undisturbed) == 0


def test_random_kills_change_no_byte(tmp_path):
    """OUROBOROS_KILLS=100 kills a hundred times; the seed is printed, OUROBOROS_KILLS_SEED sets it."""
    total = campaign(tmp_path, KILLS, SEED)
    assert total["kills"] == KILLS
    assert total["differing"] == 0
    assert total["artifacts"] > 20
