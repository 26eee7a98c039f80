"""How long Snakemake takes to build the DAG, and in how much memory, by the number of jobs.

    python benchmarks/dag.py                    # 2, 5, 15 and 45 lineages of 40 generations
    python benchmarks/dag.py --lineages 100

Lineages of the paper's size, 4 shards, all evaluations; a dry-run in an empty folder.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lineages", type=int, nargs="+", default=[2, 5, 15, 45])
    parser.add_argument("--generations", type=int, default=40)
    parser.add_argument("--target", default="many", help="many is all of them, many-s0 the first")
    options = parser.parse_args()
    print("| lineages | jobs | seconds | CPU seconds | peak memory |\n|--:|--:|--:|--:|--:|")
    for count in options.lineages:
        jobs, seconds, busy, memory = measure(count, options.generations, options.target)
        row = f"{count} | {jobs:,} | {seconds:.1f} | {busy:.1f} | {memory / 1e6:,.0f} MB"
        print(f"| {row} |", flush=True)


def measure(lineages: int, generations: int, target: str) -> tuple[int, float, float, int]:
    """Jobs, seconds, CPU seconds (other work on the machine adds little to them), peak bytes."""
    config = {
        "lineages": {
            "many": {
                "corpus": "grammar", "model": "1m", "generations": generations,
                "seeds": list(range(lineages)),
                "overrides": {"evaluation": {"judge": "gpt35"}},
            }
        }
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        file, said = Path(folder, "many.yaml"), Path(folder, "said")
        file.write_text(yaml.safe_dump(config))
        began = time.perf_counter()
        with said.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", target, "--dry-run", "--quiet", "rules",
                 "--snakefile", REPOSITORY / "Snakefile", "--configfile", file,
                 "--directory", folder],
                cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        text = said.read_text()
        if status:
            sys.exit(text)
        jobs = int(re.findall(r"^total +(\d+)$", text, re.M)[-1])
        return jobs, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
