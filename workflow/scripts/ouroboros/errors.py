"""The one exception that is for people: its text says what is wrong, where, and what would be right."""

import difflib


class UserError(Exception):
    """Something that the user can put right; shown as a paragraph, without a traceback."""


def nearest(word: str, known) -> str:
    """A hint that names the entry of `known` that is nearest to `word`, or lists them all."""
    known = sorted(str(entry) for entry in known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known) or 'none'}."
