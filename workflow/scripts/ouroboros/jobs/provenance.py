"""The provenance record, which every JSON artifact of the workflow holds."""

import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ouroboros import __version__

_STARTED = time.monotonic()


def provenance(device: str = "cpu", **made_with) -> dict:
    """Record `made_with` (lineage, generation, seed, settings, ...), versions and device.

    `run` holds what differs between two identical runs (time, host, seconds since the process
    started); without it, equal settings and seeds on equal devices give equal bytes.
    """
    return {
        **made_with,
        "versions": {
            "ouroboros": __version__,
            "commit": _commit(),
            "torch": version("torch"),
            "transformers": version("transformers"),
            "python": platform.python_version(),
        },
        "device": device,
        "run": {
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "host": platform.node(),
            "seconds": round(time.monotonic() - _STARTED, 3),
        },
    }


def _commit():
    """The repository's commit (`-dirty` where it has changes), or None outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        result = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() or None
