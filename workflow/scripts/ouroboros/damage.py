"""What is said of an artifact that does not hold what was written into it."""

import os
from pathlib import Path

from ouroboros.errors import UserError


def damaged(path, why: str) -> UserError:
    """The error for a damaged artifact: its name, what is wrong, and the command that remakes it."""
    path = Path(path)
    if path.is_symlink():  # to what lineages share
        path = Path(os.path.relpath(path.resolve()))
    return UserError(
        f"{path} is damaged: {why}. Nothing was made of it. Make it again with\n"
        f"    snakemake --cores all --force {path}\n"
        "(and the --configfile that you run with), then run the same command as before."
    )
