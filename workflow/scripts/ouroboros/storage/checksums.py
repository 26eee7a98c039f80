"""Checksums of a folder's files, kept in the folder as `sha256sum -c SHA256SUMS` reads them."""

import hashlib
from pathlib import Path

from ouroboros.errors import DamagedArtifact, UserError
from ouroboros.storage.atomic import write_text

FILE = "SHA256SUMS"


def write_checksums(folder):
    """Write the checksums of all files in the folder."""
    files = (path.name for path in Path(folder).iterdir() if path.is_file())
    names = sorted({*files} - {FILE})
    write_text(Path(folder, FILE), _lines(folder, names))


def verify_checksums(folder):
    """Raise UserError where a file of the folder is not byte for byte what was written."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: a job before this one makes it.")
    try:
        listed = (folder / FILE).read_text(encoding="utf-8")
        names = [line.partition("  ")[2] for line in listed.splitlines()]
        intact = _lines(folder, names) == listed
    except (OSError, ValueError) as error:
        raise DamagedArtifact(
            folder, f"a file that {FILE} lists cannot be read ({error})"
        ) from error
    if not intact or not names:
        changed = [
            name for name, line in zip(names, listed.splitlines(), strict=True)
            if _lines(folder, [name]) != f"{line}\n"
        ]  # fmt: skip
        what = ", ".join(changed) or "one of its files"
        raise DamagedArtifact(folder, f"{what} does not have the checksum in {FILE}")


def _lines(folder, names):
    """The lines of SHA256SUMS for files of the folder."""
    lines = []
    for name in names:
        with open(Path(folder, name), "rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return "".join(lines)
