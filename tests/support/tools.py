"""Helpers of tests: lively weights, a real Snakemake, a small copy of the workflow."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from ouroboros.pipeline.declarations import read_schema

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load(
    (REPOSITORY / "config.yaml").read_text()
)  # as it is shipped; copy, then change
SCHEMA = read_schema(REPOSITORY)

END = 299  # end-of-text of the fixture `tokenizer`
SEED = 7  # of the tiny lineage

TINY = {
    "corpora": {"own": {"source": "files", "files": ["own.txt"]}},
    "tokenizers": {"small": {"source": "train", "vocabulary_size": 300}},
    "models": {
        "tiny": {"layers": 2, "hidden_size": 16, "heads": 2, "window": 8, "context": 32, "positions": 32}
    },
    "training": {"tiny": {"batch": 8, "learning_rate": 1.0e-2, "max_epochs": 2}},
    "sampling": {"tiny": {"sequences": 40, "sequence_length": 32, "shards": 2, "temperature": 0.8}},
    "evaluation": {"tiny": {"context": 32, "distinct_sequences": 40, "samples": 2, "sample_tokens": 20}},
    "lineages": {
        "tiny": {
            "corpus": "own", "tokenizer": "small", "model": "tiny", "training": "tiny",
            "sampling": "tiny", "evaluation": "tiny", "generations": 3, "seed": SEED,
            "overrides": {
                "resources": {
                    rule: {"gpu": 0, "threads": 1, "mem_mb": 500, "batch": 16}
                    for rule in ("train", "sample", "ppl", "completions")
                }
            },
        }
    },
}  # fmt: skip


def initialise(settings, seed):
    """A GPT-Neo with random weights."""
    from ouroboros.model.families.gpt_neo.model import GPTNeo

    return GPTNeo(settings).initialise(seed)


def lively(model, scale=12.0):
    """Scale weights up, and draw biases and gains, so that nothing is uniform, zero or one and mistakes show."""
    import torch

    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(scale)
            else:
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def read_shards(paths):
    """A corpus's sequences, all in memory."""
    import numpy as np

    from ouroboros.data.corpus import Corpus, row_groups

    groups = [*row_groups(paths)]
    return Corpus(
        *(np.concatenate([getattr(g, part) for g in groups]) for part in ("tokens", "previous"))
    )


def snakemake(*arguments, cwd, environment=None):
    """Run this interpreter's Snakemake; the finished process with its whole output in `stdout`."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *map(str, arguments)],
        cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip


def run_line(line, folder):
    """Run a command line of the documentation with the `snakemake` that `make` installs."""
    command = [Path(sys.executable).with_name("snakemake"), *line.split()[1:]]
    return subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def listed_jobs(output: str) -> list[dict]:
    """The jobs that a dry-run prints: `rule`, and `input`, `output`, `wildcards` as printed."""
    jobs = []
    for line in output.splitlines():
        if line.startswith(("rule ", "localrule ")):
            jobs.append({"rule": line.split()[1].rstrip(":")})
        elif jobs and line.startswith("    ") and ": " in line:
            key, value = line.strip().split(": ", 1)
            jobs[-1].setdefault(key, value)
    return jobs


class Workflow:
    """A copy of the workflow with a configuration of its own laid over the shipped one."""

    def __init__(self, folder: Path):
        self.folder = folder

    def set_up(self, texts):
        """Copy what is shipped into the folder, with the tiny lineage and its text."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(REPOSITORY / name, self.folder)
        for name in ("workflow", "profiles", "envs", "resources"):
            shutil.copytree(
                REPOSITORY / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        (self.folder / "own.txt").write_text("<|endoftext|>".join(texts))
        self.configure(TINY)
        return self

    def copy(self, folder: Path):
        """Copy all of it, results with their times, into another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        for record in (folder / ".snakemake/metadata").rglob("*"):  # inputs by absolute paths
            if record.is_file():
                record.write_text(record.read_text().replace(str(self.folder), str(folder)))
        other = copy.copy(self)
        other.folder = folder
        return other

    def configure(self, config):
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(config))

    def run(self, *arguments, environment=None):
        return snakemake(
            "--configfile", "tiny.yaml", "--cores", "2", *arguments,
            cwd=self.folder, environment=environment,
        )  # fmt: skip

    def status(self) -> tuple[str, int]:
        """What `make status` prints, and the exit code before make's."""
        program = self.folder / "workflow/scripts/status.py"
        result = subprocess.run(
            [sys.executable, program, "--directory", self.folder], capture_output=True, text=True
        )
        return result.stdout + result.stderr, result.returncode

    def planned(self, *targets) -> set[str]:
        """The jobs that a dry-run of `targets` lists: rule and wildcards, `ppl tiny gen1`."""
        result = self.run(*targets, "--dry-run")
        assert result.returncode == 0, result.stdout
        return {
            " ".join(
                [job["rule"], *(v.split("=")[1] for v in job.get("wildcards", "").split(",") if v)]
            )
            for job in listed_jobs(result.stdout)
        }


def artifacts(folder: Path) -> set[str]:
    """The files below a folder, as paths from there."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
