"""A short version of every benchmark, and the table of docs/performance.md.

    python benchmarks/all.py                  # or: make bench
    python benchmarks/all.py --only sampling-1m-600 --repeats 5
    python benchmarks/all.py --render         # the table alone, from what was measured before

Results are kept in results/benchmarks/; a row that is not run keeps its last one.
"""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results" / "benchmarks"
PAGE = HERE.parent / "docs" / "performance.md"
HEAD = [
    ("what", "against", "ours, tokens/s", "theirs, tokens/s", "ratio (min to max)", "wanted",
     "share of the limit: best product / products of its shapes", "peak memory, ours / theirs"),
    ("---", "---", "--:", "--:", "--:", "---", "--:", "--:"),
]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A line of the table: the command that measures it, and the ratio wanted."""

    name: str
    command: str
    wanted: str

    @property
    def file(self) -> Path:
        return RESULTS / f"{self.name}.json"


# Short: 2 or 3 pairs of runs, together some ten minutes on 2 cores.
ROWS = [
    Row("sampling-1m-600", "sampling.py --model 1m --batch 100 --tokens 600 --repeats 2", "8x"),
    Row("sampling-1m-64", "sampling.py --model 1m --batch 200 --tokens 64", "12x"),
    Row("sampling-33m", "sampling.py --model 33m --batch 200 --tokens 32", "2.4x, 85% of the limit"),
    Row("sampling-demo", "sampling.py --model demo --batch 300 --tokens 256 --repeats 5", "15x"),
    Row("training-1m", "training.py --model 1m --repeats 2", "5x, a sixth of the memory"),
    Row("training-33m", "training.py --model 33m --precision bf16 --repeats 2", "3x, half the memory"),
    Row("sampling-1m-64-compiled", "sampling.py --model 1m --batch 200 --tokens 64 --against compiled", "1.5x"),
    Row("sampling-33m-compiled", "sampling.py --model 33m --batch 200 --tokens 32 --against compiled", "1.5x, or 85% of the limit"),
    Row("sampling-demo-compiled", "sampling.py --model demo --batch 300 --tokens 256 --against compiled", "1.5x"),
    Row("training-1m-compiled", "training.py --model 1m --against compiled --allocator both --repeats 2", "1.5x"),
    Row(
        "training-33m-compiled",
        "training.py --model 33m --precision bf16 --against compiled --allocator both --repeats 2",
        "1.3x",
    ),
    Row("perplexity-1m", "perplexity.py --model 1m --count 1000 --repeats 2", "2x"),
]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=[row.name for row in ROWS])
    parser.add_argument("--repeats", help="pairs of runs, of every row")
    parser.add_argument("--stories", help="real stories (.jsonl) for the perplexity's row")
    parser.add_argument("--render", action="store_true", help="run nothing, write the table anew")
    options = parser.parse_args()
    for row in ROWS:
        if options.render or (options.only and row.name not in options.only):
            continue
        program, *arguments = row.command.split()
        if options.repeats:
            arguments += ["--repeats", options.repeats]
        if options.stories and program == "perplexity.py":
            arguments += ["--stories", options.stories]
        print(f"\n== {row.name}: python benchmarks/{program} {' '.join(arguments)}", flush=True)
        command = [sys.executable, str(HERE / program), *arguments, "--json", str(row.file)]
        if subprocess.run(command).returncode:
            sys.exit(f"{row.name} failed; the rows before it are in {RESULTS} and in {PAGE}.")
        render()  # after every row, so that a stop costs only the rows after it
    render()


def render():
    """Write the table between the page's two markers."""
    results = [(row, json.loads(row.file.read_text())) for row in ROWS if row.file.exists()]
    lines = [*HEAD, *(cells(row, result) for row, result in results)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    machines = sorted({machine(result) for _, result in results})
    text = PAGE.read_text(encoding="utf-8")
    inner = "\n\n".join([table, *machines])
    text, count = re.subn(
        r"(<!-- table -->\n).*(<!-- end of table -->)",
        lambda found: f"{found[1]}\n{inner}\n\n{found[2]}",
        text,
        flags=re.DOTALL,
    )
    if not count:
        sys.exit(f"{PAGE} has lost its markers, <!-- table --> and <!-- end of table -->.")
    PAGE.write_text(text, encoding="utf-8")


def cells(row: Row, result: dict) -> tuple:
    """One line of the table."""
    ours, theirs, ratio = result["ours"], result["theirs"], result["ratio"]
    return (
        f"{result['what']}; {len(result['ratios'])} repeats",
        result["against"],
        f"{ours['median']:,.0f}",
        f"{theirs['median']:,.0f}",
        f"**{ratio['median']:.1f}** ({ratio['min']:.1f} to {ratio['max']:.1f})",
        row.wanted,
        f"{result['limit']['share']:.0%} / {result['limit']['model_share']:.0%}",
        f"{ours['peak_memory_gb']:.2f} / {theirs['peak_memory_gb']:.2f} GB",
    )


def machine(result: dict) -> str:
    """The machine and versions of the measurement."""
    about = result["machine"]
    return (
        f"Measured on {about['cpu']}, {about['threads']} threads, with torch {about['torch']} and "
        f"transformers {about['transformers']}."
    )


if __name__ == "__main__":
    main()
