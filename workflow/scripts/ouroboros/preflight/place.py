"""Where the workflow lies: folders whose names Snakemake or a shell would read as something else."""

import sys
from pathlib import Path

from ouroboros.errors import UserError

WILDCARDS = set("{}")
OF_A_SHELL = set(" \t\n'\"\\$&;|<>()`{}")


def check_place(root: Path, python: str):
    """Raise UserError where no job could run: by the path of the clone, or of its Python.

    Snakemake fills in wildcards in the absolute paths of files that the workflow ships, and writes
    the path of its Python into shell commands as it is.
    """
    if WILDCARDS & set(str(root)):
        raise UserError(
            f"Ouroboros lies in {root}, and Snakemake takes what stands between {{ and }} in a path for "
            "a wildcard. Rename that folder, or clone into another; a run's folder (`--directory`) may "
            "have any name."
        )
    if OF_A_SHELL & set(python):
        raise UserError(
            f"The Python of this Snakemake is {python}, and Snakemake writes that path into shell "
            "commands without quotes: a space or a sign of the shell in it ends every job. Clone into "
            "a folder without, or make .venv in one: `python3 -m venv /elsewhere/.venv`, "
            "`/elsewhere/.venv/bin/pip install -r envs/requirements.txt`, and run with "
            "`/elsewhere/.venv/bin/snakemake`. A run's folder (`--directory`) may have any name."
        )


if __name__ == "__main__":  # `make`, before it installs anything
    try:
        check_place(Path.cwd(), str(Path(".venv/bin/python").absolute()))
    except UserError as error:
        sys.exit(str(error))
