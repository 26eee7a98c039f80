"""A page of documentation that is followed: its files are written, its commands run, its outputs compared.

A block of code whose first line is `# name` is a file. A `console` block has commands after `$ `, each before its
output, in which `...` stands for lines left out; those of `console another terminal` run beside the command
before them. `python tests/support/tutorial.py docs/tutorial.md FOLDER` follows a page and prints what was said.
"""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

BLOCK = re.compile(r"^```(\w+)( another terminal)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")
UNITS = {"s", "min", "h", "d"}  # a time is said in the unit that suits it
PATIENCE = 120  # seconds, for what another terminal is to show


@dataclasses.dataclass
class Step:
    """A file to write, or a command (no `name`) with the output that the page shows, and those beside it."""

    text: str
    name: str | None = None
    output: str = ""
    beside: list = dataclasses.field(default_factory=list)


def steps(page: str) -> list[Step]:
    """The steps of a page, in order."""
    found = []
    for language, beside, body in BLOCK.findall(page):
        if named := FILE.match(body):
            found.append(Step(body, name=named[1]))
        elif language == "console":
            for said in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, _, output = said.partition("\n")
                (found[-1].beside if beside else found).append(Step(command, output=output))
    return found


def unsaid(documented: str, said: str) -> str | None:
    """The first line of a documented output that was not said in its place, numbers and times aside."""
    lines = iter([_shape(line) for line in said.splitlines()])
    for line in documented.splitlines():
        if line.strip() and line != "..." and _shape(line) not in lines:
            return line
    return None


def _shape(line):
    """A line without its numbers, the units of times, and the widths of columns."""
    words = [word for word in line.split() if word.strip("|,;.:()") not in UNITS]
    return re.sub(r"[-\d][-\d.,x:]*", "#", " ".join(words))


def follow(page: str, folder: Path, change: Callable[[Step], Step] = lambda step: step):
    """Take all steps of a page in a folder, yielding each command and what it said.

    `change` gives the step to take in place of a documented one. Raises AssertionError where a command
    fails, or does not say what the page shows.
    """
    for step in map(change, steps(page)):
        if step.name:
            (folder / step.name).write_text(step.text)
            continue
        with Running(step.text, folder) as running:
            for other in step.beside:
                yield other.text, _said_beside(other, folder, running)
        said = running.said()
        assert running.process.returncode == 0, f"$ {step.text}\n{said[-5000:]}"
        _compare(step, said)
        yield step.text, said


def _said_beside(step, folder, running):
    """Run a command again and again, until it says what the page shows or the process beside it ends."""
    patience = time.monotonic() + PATIENCE
    while True:
        last = running.process.poll() is not None or time.monotonic() > patience
        with Running(step.text, folder) as other:
            pass
        if last or unsaid(step.output, other.said()) is None:
            _compare(step, other.said())
            return other.said()
        time.sleep(1)


def _compare(step, said):
    missing = unsaid(step.output, said)
    assert missing is None, f"$ {step.text}\ndid not say\n{missing}\nbut\n{said[-5000:]}"


class Running:
    """A command that runs in a folder until the end of the `with`, as after `source .venv/bin/activate`."""

    def __init__(self, command: str, folder: Path):
        self.output = TemporaryFile("w+")  # noqa: SIM115 - a pipe that nobody reads fills up
        path = f"{folder / '.venv/bin'}:{os.environ['PATH']}"
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path},
            stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait()

    def said(self) -> str:
        """Its output so far."""
        self.output.seek(0)
        return self.output.read()


def main():
    page, folder = map(Path, sys.argv[1:])
    for command, said in follow(page.read_text(), folder.resolve()):
        print(f"$ {command}\n{said}", flush=True)


if __name__ == "__main__":
    main()
