"""Resources that jobs ask for: of rules, and of a cluster beyond them."""

import math

from ouroboros.pipeline.experiment import Experiment


def resource(experiment: Experiment, rule: str, key: str, lineage: str | None, attempt: int):
    """A resource of a rule: the lineage's own where there is a lineage, else the general one.

    Every further attempt at a job gets as much memory and time again, time up to the cluster's limit.
    """
    settings = experiment.lineages.get(lineage, experiment.resolved)
    value = settings["resources"][rule][key]
    if key == "runtime":
        longest = experiment.resolved["cluster"]["max_runtime"]
        return min(value * attempt, longest or math.inf)
    return value * attempt if key == "mem_mb" else value


def site_resources(cluster: dict, gpus: int) -> dict:
    """The site's choices for a job with so many GPUs; `cluster`: the section of the configuration."""
    return {
        "slurm_account": cluster["account"],
        "slurm_partition": cluster["gpu_partition" if gpus else "partition"],
        "gpu_model": cluster["gpu_model"] if gpus else None,
        "nodes": 1,  # SLURM may spread several GPUs over nodes otherwise
    }
