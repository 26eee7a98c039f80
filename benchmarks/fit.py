"""How long a run takes that `plan` has fitted to a time: asked for, planned, measured.

A lineage of 40 generations and a fixed number of epochs, on the grammar and on text of your own. On a quiet
machine; it takes as long as the times that are asked for.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import sides  # noqa: F401 - puts the library on the path
import yaml

from ouroboros.planning.fit import budget_seconds

REPOSITORY = Path(__file__).resolve().parents[1]
GRAMMAR = {"source": "grammar", "stories": 2900, "validation_stories": 200}


def configuration(corpus: dict, epochs: int, cores: int) -> dict:
    """A lineage `fitted` on a corpus, all of whose parts are its own."""
    sizes = {"gpu": 0, "threads": cores, "mem_mb": 1500}
    return {
        "corpora": {"fitted": corpus},
        "tokenizers": {"fitted": {"source": "train", "vocabulary_size": 2048}},
        "models": {"fitted": {"layers": 4, "hidden_size": 192, "heads": 12, "window": 64,
                              "context": 256, "positions": 256}},
        "training": {"fitted": {"batch": 8, "learning_rate": 2.0e-3, "epochs": epochs}},
        "sampling": {"fitted": {"sequences": "auto", "sequence_length": 256}},
        "evaluation": {"fitted": {"context": 256, "distinct_sequences": 1000,
                                  "classification": {"tasks": []}}},
        "lineages": {"fitted": {
            **dict.fromkeys(("corpus", "tokenizer", "model", "training", "sampling", "evaluation"), "fitted"),
            "generations": 40,
            "overrides": {"resources": {
                "train": {**sizes, "batch": 8}, "sample": {**sizes, "batch": 300},
                "ppl": {**sizes, "threads": 1, "batch": 64},
            }},
        }},
    }  # fmt: skip


def measure(
    corpus: dict, asked: str, epochs: int, cores: int, folder: Path
) -> tuple[str, float, str]:
    """The wall-clock as planned, the seconds of the run, and the proposal in words."""
    Path(folder, "own.yaml").write_text(yaml.safe_dump(configuration(corpus, epochs, cores)))
    plan = f"plan={{fit: {asked}, groups: [fitted]}}"
    snakemake(folder, "--configfile", "own.yaml", "--config", plan, "--", "plan", cores=cores)
    page = Path(folder, "results/fitted/fit.md").read_text()
    began = time.perf_counter()
    snakemake(folder, "--configfile", "results/fitted/fit.yaml", "--", "fitted", cores=cores)
    seconds = time.perf_counter() - began
    rows = re.findall(r"^\| (\S.*?) +\|[^|]*\| (\S.*?) +\|$", page, re.MULTILINE)
    found = {what: value for what, value in rows if value != "proposed"}
    planned = found.pop("wall-clock").removesuffix(" as planned")
    return planned, seconds, ", ".join(f"{what} {value}" for what, value in found.items())


def snakemake(folder, *arguments, cores):
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile",
               "--cores", str(cores), *arguments]  # fmt: skip
    result = subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if result.returncode:
        sys.exit(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a .txt or .jsonl file of stories")
    parser.add_argument("--time", default="20m", help="to ask for, as `plan.fit` takes it")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    corpora = {"grammar": GRAMMAR}
    if options.text:
        corpora["text"] = {"source": "files", "files": [str(options.text.resolve())]}
    print("| text | asked for | planned | measured | measured / asked | proposed |")
    print("|---|--:|--:|--:|--:|---|")
    seconds_asked = budget_seconds(options.time)
    for name, corpus in corpora.items():
        with TemporaryDirectory() as folder:
            planned, seconds, proposed = measure(
                corpus, options.time, options.epochs, options.cores, Path(folder)
            )
        share = seconds / seconds_asked
        print(
            f"| {name} | {options.time} | {planned} | {seconds:.0f} s | {share:.2f} | {proposed} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
