"""What is looked at before anything runs: the folder's lock, and whether it can be written."""

import os

from ouroboros.lock import lock_note


def note_the_lock():
    """Say whose lock is in this folder; Snakemake's own message follows where it is in the way."""
    note = lock_note(Path.cwd()) if workflow.is_main_process else None
    if note:
        print(note, file=sys.stderr)


def check_folders():
    """Every folder that jobs write to can be written."""
    for folder in (Path.cwd(), Path("results"), Path("logs")):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise WorkflowError(
                f"{folder.resolve()} cannot be written (it is read-only, or another user's). Run "
                "in a folder of your own with --directory, or make this one writable."
            )
