"""Snakemake called by another workflow, and by a program with arguments of its own."""

import os
import subprocess
import sys

from tools import REPOSITORY, snakemake

PROGRAM = """
import os, signal, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings
with SnakemakeApi(OutputSettings()) as api:
    workflow = api.workflow(
        resource_settings=ResourceSettings(cores=1),
        config_settings=ConfigSettings(configfiles=[Path("tiny.yaml")]),
        snakefile=Path("Snakefile"),
    )
    triggers = frozenset({RerunTrigger.MTIME, RerunTrigger.PARAMS, RerunTrigger.INPUT})
    asked = DAGSettings(targets={"results/tiny/table.md"}, rerun_triggers=triggers)
    workflow.dag(asked).execute_workflow()
os.kill(os.getpid(), signal.SIGHUP)
print("a run that is hung up on ends in its own time")
"""


def test_a_module_of_another_workflow_is_refused_in_words(tmp_path):
    (tmp_path / "Snakefile").write_text(
        f'module ours:\n    snakefile: "{REPOSITORY}/Snakefile"\nuse rule * from ours as ours_*\n'
    )
    said = snakemake("-n", "--cores", "1", cwd=tmp_path).stdout
    assert "Ouroboros cannot be a module of another workflow, or be included" in said
    assert f"snakemake --snakefile {REPOSITORY}/Snakefile --directory FOLDER" in said


def test_a_program_with_arguments_of_its_own(lineage_copy):
    """They are no targets; it has no limit of GPUs, which a profile sets for the command line."""
    (lineage_copy.folder / "mine.py").write_text(PROGRAM)
    table = lineage_copy.folder / "results/tiny/table.md"
    before = table.read_bytes()
    table.unlink()
    result = subprocess.run(
        [sys.executable, "mine.py", "--epochs", "3", "no-target"],
        cwd=lineage_copy.folder, env=os.environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    assert "1 of 1 steps" in result.stdout and "in its own time" in result.stdout
    assert table.read_bytes() == before
