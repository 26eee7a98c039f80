"""The checksums of a folder's files, in the folder: `sha256sum -c SHA256SUMS` reads them too."""

import hashlib
from pathlib import Path

from ouroboros.errors import UserError, damaged
from ouroboros.storage.atomic import write_text

SUMS = "SHA256SUMS"


def write_sums(folder):
    """Write the checksums of all files in the folder."""
    files = (path.name for path in Path(folder).iterdir() if path.is_file())
    names = sorted({*files} - {SUMS})
    write_text(Path(folder, SUMS), _sums(folder, names))


def check_sums(folder):
    """UserError where a file of the folder is not byte for byte what was written."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: a job before this one makes it.")
    try:
        listed = (folder / SUMS).read_text(encoding="utf-8")
        names = [line.partition("  ")[2] for line in listed.splitlines()]
        holds = _sums(folder, names) == listed
    except (OSError, ValueError) as error:
        raise damaged(folder, f"a file that {SUMS} lists cannot be read ({error})") from error
    if not holds or not names:
        changed = [
            name for name, line in zip(names, listed.splitlines(), strict=True)
            if _sums(folder, [name]) != f"{line}\n"
        ]  # fmt: skip
        what = ", ".join(changed) or "one of its files"
        raise damaged(folder, f"{what} does not have the checksum in {SUMS}")


def _sums(folder, names):
    lines = []
    for name in names:
        with open(Path(folder, name), "rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return "".join(lines)
