"""Snapshots of a job's state on disk, from which it resumes after a kill.

A state is one safetensors file: tensors, and in its header a record (JSON), a checksum of both, and
the digest of the job's settings and inputs, which tells it from a state of another job.
"""

import hashlib
import json
import logging
import shutil
import time
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ouroboros.errors import UserError
from ouroboros.storage.atomic import new_file

FORMAT = 1  # raise it when the meaning of a state changes: older ones are then ignored
log = logging.getLogger("ouroboros")


def state_folder(output) -> Path:
    """The folder of a job's states, beside its output.

    No rule declares it: Snakemake deletes declared outputs before a job starts.
    """
    return Path(output).with_suffix(".state")


def digest(settings: dict, files) -> str:
    """SHA-256 of what a state depends on: `settings` (as JSON), then the contents of `files` in order."""
    total = hashlib.sha256(json.dumps([FORMAT, settings], sort_keys=True).encode())
    for path in files:
        with open(path, "rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


class States:
    """The numbered states of one job, in a folder; each appears whole or not at all."""

    @classmethod
    def beside(cls, output, settings: dict, files) -> "States":
        """The states of the job that makes `output` with these settings from these input files."""
        states = cls(state_folder(output), digest(settings, files))
        for path in states.folder.glob(".*.partial"):  # of a process that was killed
            path.unlink()
        return states

    def __init__(self, folder, digest: str):
        self.folder, self.digest = Path(folder), digest

    def numbers(self) -> list[int]:
        """The numbers of all states on disk, in increasing order."""
        return sorted(
            int(path.stem) for path in self.folder.glob("*.safetensors") if path.stem.isdecimal()
        )

    def path(self, number: int) -> Path:
        """The file of a state."""
        return self.folder / f"{number:06d}.safetensors"

    def write(self, number: int, record: dict, tensors: dict[str, torch.Tensor]):
        """Put a state on disk; UserError where the disk is full or cannot be written."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        text = json.dumps(record)
        header = {
            "digest": self.digest, "record": text, "checksum": _checksum(self.digest, text, tensors)
        }  # fmt: skip
        with new_file(self.path(number)) as temporary:
            save_file(tensors, temporary, metadata=header)

    def read(self, number: int) -> tuple[dict, dict[str, torch.Tensor]] | None:
        """The record and tensors of a state; None, with a warning in the log, where it is unusable."""
        path = self.path(number)
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            return self._damaged(number, str(error))
        if header.get("digest") != self.digest:
            log.warning("%s is ignored: it belongs to other settings or other inputs.", path)
            return None
        text = header.get("record", "")
        if header.get("checksum") != _checksum(self.digest, text, tensors):
            return self._damaged(number, "its checksum is wrong")
        return json.loads(text), tensors

    def _damaged(self, number, why):
        log.warning("%s is damaged (%s): it is removed.", self.path(number), why)
        self.path(number).unlink(missing_ok=True)

    def keep_only(self, numbers):
        """Remove all states but those with these numbers."""
        for number in set(self.numbers()) - set(numbers):
            self.path(number).unlink(missing_ok=True)

    def remove(self):
        """Remove the folder, once the job is done."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Keeper:
    """Save a state every `minutes`, and keep the two latest: the second replaces a damaged first."""

    def __init__(self, states: States, minutes: float):
        self.states, self.seconds = states, 60 * minutes
        self.saved = time.monotonic()
        self.last = None  # number of the last good state

    def latest(self):
        """Record and tensors of the last good state; None without one."""
        for number in reversed(self.states.numbers()):
            if state := self.states.read(number):
                self.last = number
                return state
        return None

    def state(self, number: int):
        """Record and tensors of the state with this number; UserError where it is unusable."""
        if state := self.states.read(number):
            return state
        raise UserError(f"{self.states.path(number)} could be read at first, and now cannot be.")

    def due(self) -> bool:
        """True when `minutes` have passed since the last state."""
        return time.monotonic() - self.saved >= self.seconds

    def keep(self, record: dict, tensors: dict[str, torch.Tensor]):
        """Write a state; only then remove the one before the last."""
        number = max(self.states.numbers(), default=0) + 1
        self.states.write(number, record, tensors)
        self.states.keep_only({self.last, number})
        self.last, self.saved = number, time.monotonic()

    def last_path(self) -> Path | None:
        """The file of the last good state; None without one."""
        return None if self.last is None else self.states.path(self.last)


def _checksum(digest, text, tensors):
    total = hashlib.sha256(f"{digest}\n{text}".encode())
    for name, tensor in sorted(tensors.items()):
        total.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()
