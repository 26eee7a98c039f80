"""States on disk: found again whole, and never loaded where they are damaged or another job's."""

import logging

import pytest
import torch

from ouroboros.errors import UserError
from ouroboros.jobs.snapshots import Keeper, States, digest, state_folder

RECORD = {"losses": [1.5, None, 0.1 + 0.2], "scaler": {"scale": 65536.0}}
TENSORS = {
    "weights": torch.linspace(-1, 1, 12).reshape(3, 4).T,  # not contiguous
    "step": torch.tensor(7.0),
    "tokens": torch.tensor([[0, 65535]], dtype=torch.uint16),
    "none": torch.empty(0),
}


@pytest.fixture
def states(tmp_path):
    return States(tmp_path / "job.state", "d1")


def same(state):
    record, tensors = state
    return record == RECORD and all(
        torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype
        for name, tensor in TENSORS.items()
    )


def test_what_is_written_is_read(states):
    states.write(3, RECORD, TENSORS)
    assert states.numbers() == [3]
    assert same(states.read(3))
    assert [path.name for path in states.folder.iterdir()] == ["000003.safetensors"]


def test_a_state_of_another_job_is_ignored_and_left(states, caplog):
    states.write(1, RECORD, TENSORS)
    assert States(states.folder, "d2").read(1) is None
    assert "000001.safetensors is ignored: it belongs to other settings" in caplog.text
    assert same(states.read(1))


def test_every_flipped_bit_and_every_cut_is_found(states, caplog):
    """In the header and in the data, one place in seven."""
    states.write(1, RECORD, TENSORS)
    path = states.path(1)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert states.read(1) is None, place
        path.write_bytes(whole[:place])
        assert states.read(1) is None, place
    assert "000001.safetensors is damaged" in caplog.text
    path.write_bytes(whole)
    assert same(states.read(1))


def test_the_digest_belongs_to_settings_and_contents(tmp_path, monkeypatch):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"one")
    b.write_bytes(b"two")
    whole = digest({"x": 1, "y": [2]}, [a, b])
    assert whole == digest({"y": (2,), "x": 1}, [a, b])
    assert whole != digest({"x": 1, "y": [3]}, [a, b])
    assert whole != digest({"x": 1, "y": [2]}, [b, a])
    b.write_bytes(b"twO")
    assert whole != digest({"x": 1, "y": [2]}, [a, b])
    b.write_bytes(b"two")
    assert whole == digest({"x": 1, "y": [2]}, [a, b])
    monkeypatch.setattr("ouroboros.jobs.snapshots.FORMAT", 99)
    assert whole != digest({"x": 1, "y": [2]}, [a, b])


def test_two_states_are_kept_and_the_older_one_stands_in_for_a_damaged_one(states, caplog):
    caplog.set_level(logging.INFO)
    keeper = Keeper(states, minutes=0)
    for step in range(4):
        keeper.keep({"step": step}, {})
    assert len(states.numbers()) == 2
    newest = states.path(states.numbers()[-1])
    newest.write_bytes(newest.read_bytes()[:-1])
    again = Keeper(states, minutes=0)
    assert again.latest()[0] == {"step": 2}
    assert f"{newest} is damaged" in caplog.text
    assert not newest.exists()
    again.keep({"step": 9}, {})
    assert [states.read(number)[0]["step"] for number in states.numbers()] == [2, 9]
    for number in states.numbers():
        states.path(number).write_bytes(b"")
    assert Keeper(states, minutes=0).latest() is None


def test_a_newer_state_of_another_job_does_not_push_out_the_last_good_one(states):
    keeper = Keeper(states, minutes=0)
    assert keeper.latest() is None and keeper.last_path() is None
    keeper.keep({"step": 1}, {})
    States(states.folder, "d2").write(2, {"step": 9}, {})
    again = Keeper(states, minutes=0)
    assert again.latest()[0] == {"step": 1}
    assert again.last_path() == states.path(1)
    again.keep({"step": 2}, {})
    assert [states.read(number)[0]["step"] for number in states.numbers()] == [1, 2]


def test_a_state_that_was_there_is_not_replaced_by_another(states):
    keeper = Keeper(states, minutes=0)
    for step in range(2):
        keeper.keep({"step": step}, {})
    first, second = states.numbers()
    assert keeper.state(first)[0] == {"step": 0}
    states.path(second).unlink()
    with pytest.raises(UserError, match=f"{second:06d}.safetensors could be read at first"):
        keeper.state(second)


def test_numbers_are_in_order(states):
    numbers = [1_000_000, 999_999, 12, 3, 2, 1, 0, 40, 39, 38, 37]
    for number in numbers:
        states.write(number, {}, {})
    (states.folder / "model.safetensors").touch()
    assert states.numbers() == sorted(numbers)
    states.keep_only([39, 1_000_000])
    assert states.numbers() == [39, 1_000_000]


def test_a_write_that_fails_leaves_the_state_before_it(states, monkeypatch):
    keeper = Keeper(states, minutes=0)
    keeper.keep({"step": 1}, {})

    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ouroboros.jobs.snapshots.save_file", full)
    with pytest.raises(Exception, match="no space left"):
        keeper.keep({"step": 2}, {})
    assert Keeper(states, minutes=0).latest()[0] == {"step": 1}
    assert len(list(states.folder.iterdir())) == 1


def test_what_a_kill_left_half_written_is_swept_by_the_job_and_by_nobody_else(tmp_path):
    states = States.beside(tmp_path / "checkpoint", {}, [])
    states.write(1, {}, {})
    (states.folder / ".000002.safetensors.99.partial").write_bytes(b"half")
    assert States(states.folder, states.digest).numbers() == [1]
    assert len(list(states.folder.iterdir())) == 2
    assert States.beside(tmp_path / "checkpoint", {}, []).numbers() == [1]
    assert len(list(states.folder.iterdir())) == 1


def test_when_a_state_is_due(states, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("ouroboros.jobs.snapshots.time.monotonic", lambda: now[0])
    keeper = Keeper(states, minutes=10)
    assert not keeper.due()
    now[0] += 599
    assert not keeper.due()
    now[0] += 1
    assert keeper.due()
    keeper.keep({}, {})
    assert not keeper.due()


def test_folders_are_beside_the_outputs():
    assert str(state_folder("results/a/gen1/checkpoint")) == "results/a/gen1/checkpoint.state"
    shards = [state_folder(f"corpus/shard-0000{n}.parquet") for n in (0, 1)]
    assert [path.name for path in shards] == ["shard-00000.state", "shard-00001.state"]
