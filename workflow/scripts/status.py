"""Where the runs of a folder stand: `make status`. Reads files alone, beside a run or after it.

The exit code is 0 where all is done, 3 while a run is at work and nothing has failed, 1 where a job
failed (others may still be at work), 4 where a run was stopped or killed before all was done, and
2 where there is nothing to tell: nothing ran here, or there is no such folder.
"""

import argparse
import os
import sys
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.status.page import NOTHING, status

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="status", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", "-d", default=".", help="the folder of the run")
    folder = parser.parse_args().directory
    try:
        os.chdir(folder)
    except OSError as error:
        parser.error(f"argument --directory: {folder}: {error.strerror}")
    try:
        page, code = status(ROOT)
    except UserError as error:
        print(error, file=sys.stderr)
        return NOTHING
    print(page)
    return code


if __name__ == "__main__":
    sys.exit(main())
