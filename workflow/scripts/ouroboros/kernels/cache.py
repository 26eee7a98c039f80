"""Where compiled code is kept between jobs."""

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """The folder of compiled code: the user's cache, or a temporary one where that is read-only."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "ouroboros")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):
        pass
    return Path(tempfile.mkdtemp(prefix="ouroboros-"))
