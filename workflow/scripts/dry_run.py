"""Dry-runs of this workflow: the jobs of a target, as Snakemake lists them."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from ouroboros.errors import UserError

# More than any job asks for, since a dry-run limits the threads of a job to them.
CORES = "100000"


def dry_run(snakemake, *arguments, configuration: dict | None = None) -> str:
    """Output of a dry-run in the current folder, with the job's configuration or another one."""
    snakefile = Path(snakemake.scriptdir).resolve().parents[1] / "Snakefile"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        yaml.safe_dump(configuration or snakemake.config, config)
        config.flush()
        # No workflow profile: its limits and rerun triggers do not decide which jobs there are.
        command = [
            sys.executable, "-m", "snakemake", *arguments, "--dry-run", "--cores", CORES,
            "--snakefile", snakefile, "--configfile", config.name, "--workflow-profile", "none",
        ]  # fmt: skip
        result = subprocess.run(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    if result.returncode:
        raise UserError(f"Snakemake's dry-run of the jobs to plan failed:\n{result.stdout}")
    return result.stdout


def jobs(snakemake, target: str, configuration: dict | None = None) -> list[dict]:
    """All jobs of a target, finished or not: `rule`, `input` and `output` (lists of paths), `wildcards`,
    `gpus`, `cores`. `configuration`: another one than the job's.
    """
    found = []
    output = dry_run(snakemake, target, "--forceall", configuration=configuration)
    for line in output.splitlines():
        if match := re.match(r"(?:local)?rule (\w+):$", line):
            found.append({"rule": match[1], "input": [], "output": [], "wildcards": {}, "gpus": 0,
                          "cores": 1})  # fmt: skip
        elif found and line.startswith("    ") and ": " in line:
            key, value = line.strip().split(": ", 1)
            if key in ("input", "output"):
                found[-1][key] = value.split(", ")
            elif key == "wildcards":
                found[-1][key] = dict(part.split("=", 1) for part in value.split(", "))
            elif key == "threads":
                found[-1]["cores"] = int(value)
            elif key == "resources" and (gpus := re.search(r"\bgpu=(\d+)", value)):
                found[-1]["gpus"] = int(gpus[1])
    return found


def seconds_to_start(snakemake) -> float:
    """Seconds until Snakemake has read the workflow, as it does in every job before the script."""
    began = time.perf_counter()
    dry_run(snakemake, snakemake.output[0])
    return time.perf_counter() - began
