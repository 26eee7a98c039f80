"""The jobs of a target, as Snakemake itself lists them in a dry-run."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from ouroboros.errors import UserError

# more than any job asks for: a dry-run cuts a job's threads down to them
CORES = "100000"


def dry_run(snakemake, *arguments) -> str:
    """The output of a dry-run of this workflow with this configuration, in this folder."""
    snakefile = Path(snakemake.scriptdir).resolve().parents[1] / "Snakefile"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        yaml.safe_dump(snakemake.config, config)
        config.flush()
        # neither profile: limits of resources and rerun triggers are no matter of what is listed
        command = [
            sys.executable, "-m", "snakemake", *arguments, "--dry-run", "--cores", CORES,
            "--snakefile", snakefile, "--configfile", config.name, "--workflow-profile", "none",
        ]  # fmt: skip
        result = subprocess.run(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    if result.returncode:
        raise UserError(f"Snakemake's dry-run of what is to be planned failed:\n{result.stdout}")
    return result.stdout


def jobs(snakemake, target: str) -> list[dict]:
    """All jobs of a target: `rule`, `input`, `output`, `wildcards`, `gpus`, `cores`."""
    found = []
    for line in dry_run(snakemake, target, "--forceall").splitlines():
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
    """Seconds until Snakemake has read the workflow: every job does so before its script starts."""
    began = time.perf_counter()
    dry_run(snakemake, snakemake.output[0])
    return time.perf_counter() - began
