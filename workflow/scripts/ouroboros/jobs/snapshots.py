"""A job's state on disk, from which it carries on after a kill.

A state is one safetensors file: tensors, and in its header a record (JSON), a checksum of all that,
and the digest of the job's settings and inputs, by which a state of another job is told.
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

FORMAT = 1  # raise it when a state's meaning changes: older ones are ignored then
log = logging.getLogger("ouroboros")


def state_folder(output) -> Path:
    """Beside the output and declared by no rule: Snakemake deletes what is declared before a job."""
    return Path(output).with_suffix(".state")


def digest(settings: dict, files) -> str:
    """What a state belongs to: `settings` (as JSON) and the contents of the input files, in order."""
    total = hashlib.sha256(json.dumps([FORMAT, settings], sort_keys=True).encode())
    for path in files:
        with open(path, "rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


class States:
    """Numbered states of one job in a folder; each appears whole or not at all."""

    @classmethod
    def beside(cls, output, settings: dict, files) -> "States":
        """Those of the job that makes `output` by these settings from these files."""
        states = cls(state_folder(output), digest(settings, files))
        for path in states.folder.glob(".*.partial"):  # of a process that was killed
            path.unlink()
        return states

    def __init__(self, folder, digest: str):
        self.folder, self.digest = Path(folder), digest

    def numbers(self) -> list[int]:
        """The numbers of all states, in increasing order."""
        return sorted(
            int(path.stem) for path in self.folder.glob("*.safetensors") if path.stem.isdecimal()
        )

    def path(self, number: int) -> Path:
        """The file of a state."""
        return self.folder / f"{number:06d}.safetensors"

    def write(self, number: int, record: dict, tensors: dict[str, torch.Tensor]):
        """Put a state on disk; UserError where that has no room."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        text = json.dumps(record)
        header = {
            "digest": self.digest, "record": text, "checksum": _checksum(self.digest, text, tensors)
        }  # fmt: skip
        with new_file(self.path(number)) as temporary:
            save_file(tensors, temporary, metadata=header)

    def read(self, number: int) -> tuple[dict, dict[str, torch.Tensor]] | None:
        """The record and tensors of a state, or None, with a word in the log, where it is not usable."""
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
        """Remove all other states."""
        for number in set(self.numbers()) - set(numbers):
            self.path(number).unlink(missing_ok=True)

    def remove(self):
        """Remove the folder: the job is done."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Keeper:
    """When a state is due, and which ones stay: the latest, and the one before it in its place."""

    def __init__(self, states: States, minutes: float):
        self.states, self.seconds = states, 60 * minutes
        self.saved = time.monotonic()
        self.last = None  # number of the last good state

    def latest(self):
        """Record and tensors of the last good state, or None."""
        for number in reversed(self.states.numbers()):
            if state := self.states.read(number):
                self.last = number
                return state
        return None

    def state(self, number: int):
        """Record and tensors of the state with this number; UserError where it is not usable."""
        if state := self.states.read(number):
            return state
        raise UserError(f"{self.states.path(number)} could be read at first, and now cannot be.")

    def due(self) -> bool:
        """Whether the time between states is over."""
        return time.monotonic() - self.saved >= self.seconds

    def keep(self, record: dict, tensors: dict[str, torch.Tensor]):
        """Write a state; only then the one before the last is removed."""
        number = max(self.states.numbers(), default=0) + 1
        self.states.write(number, record, tensors)
        self.states.keep_only({self.last, number})
        self.last, self.saved = number, time.monotonic()

    def last_path(self) -> Path | None:
        """The file of the last good state."""
        return None if self.last is None else self.states.path(self.last)


def _checksum(digest, text, tensors):
    total = hashlib.sha256(f"{digest}\n{text}".encode())
    for name, tensor in sorted(tensors.items()):
        total.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()
