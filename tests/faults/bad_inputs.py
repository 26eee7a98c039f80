"""Bad inputs, each with a way to hand it in. `python tests/faults/bad_inputs.py` writes docs/bad-input.md.

The messages in that table are what these give; test_bad_input_table.py sees to it that they stay. The
inputs themselves: bad_configuration.py, bad_files.py, bad_commands.py, bad_environments.py.
"""

import html
import os
import re
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [
    str(TESTS.parent / "workflow/scripts"),
    str(TESTS / "support"),
]  # where this is run as a program

import bad_commands  # noqa: E402
import bad_configuration  # noqa: E402
import bad_environments  # noqa: E402
import bad_files  # noqa: E402
from tools import REPOSITORY  # noqa: E402

from ouroboros.errors import UserError  # noqa: E402
from ouroboros.jobs import gpu_locks  # noqa: E402
from ouroboros.storage.atomic import write_text  # noqa: E402

DOCS = REPOSITORY / "docs/bad-input.md"
GROUPS = {
    "Configuration": bad_configuration, "Files": bad_files, "Command line": bad_commands,
    "Environment": bad_environments,
}  # fmt: skip
CASES = [(group, what, give) for group, room in GROUPS.items() for what, give in room.CASES]


def message(case, folder: Path) -> str:
    """The message that a user sees, in one line and without this machine's paths."""
    _, what, give = case
    (folder / "file").write_text("")
    try:
        said = give(folder)
    except UserError as error_:
        said = str(error_)
    assert isinstance(said, str), f"{what}: nothing was refused"
    for path, name in ((folder, ""), (REPOSITORY, "")):
        said = said.replace(f"{path}/", name).replace(str(path), ".")
    said = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", said)
    return " ".join(said.split())


INTRODUCTION = """# Messages about bad input

Every line is tried by `tests/faults/test_bad_input_table.py`, which fails where a message is no longer the one below;
`python tests/faults/bad_inputs.py` writes this file anew. What Snakemake itself refuses before it reads the workflow is in its
words: a configuration file that is not there or no YAML; and, of another `snakemake` than the one that `make` installs, a target that
stands after `--resources`, which takes every word after it (write the target first). Damaged artifacts and full disks: [faults.md](faults.md).
"""


def row(what, said):
    """A line of the table."""
    return f"| {escaped(what)} | {escaped(said)} |"


def escaped(text):
    return html.escape(text, quote=False).replace("&amp;", "&").replace("|", "\\|")


def main():
    """Write the table."""
    os.environ.pop(gpu_locks.VISIBLE_DEVICES, None)
    lines, group = [INTRODUCTION], None
    for case in CASES:
        if case[0] != group:
            group = case[0]
            lines.append(f"\n## {group}\n| input | message |\n|---|---|")
        with tempfile.TemporaryDirectory() as folder:
            lines.append(row(case[1], message(case, Path(folder))))
    write_text(DOCS, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
