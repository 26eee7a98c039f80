"""The one exception that is for people: its text says what is wrong, where, and what would be right."""

import difflib
import os
from pathlib import Path


class UserError(Exception):
    """Something that the user can put right; shown as a paragraph, without a traceback."""


def nearest(word: str, known) -> str:
    """A hint that names the entry of `known` that is nearest to `word`, or lists them all."""
    known = sorted(str(entry) for entry in known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known) or 'none'}."


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
