"""Errors for people: their text says what is wrong, where, and what would be right."""

import difflib
import os
from pathlib import Path


class UserError(Exception):
    """Something that the user can put right; shown as a paragraph, without a traceback."""


class DamagedArtifact(UserError):
    """An artifact that is not what was written: its name, why, and the command that remakes it."""

    def __init__(self, path, why: str):
        path = Path(path)
        if path.is_symlink():  # to an artifact that lineages share
            path, results = path.resolve(), Path("results").resolve()  # which may be a link too
            if path.is_relative_to(results):
                path = Path("results", path.relative_to(results))
            else:
                path = Path(os.path.relpath(path))
        super().__init__(
            f"{path} is damaged: {why}. Nothing was made of it. Make it again with\n"
            f"    snakemake --cores all --force {path}\n"
            "(and the --configfile that you run with), then run the same command as before."
        )


def suggestion(word: str, known) -> str:
    """Sentence that names the entry of `known` most similar to `word`, or lists all entries."""
    known = sorted(str(entry) for entry in known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known) or 'none'}."
