"""What jobs ask of a cluster beyond their rule's own resources: the `cluster` section of the configuration."""

from ouroboros.preflight import slurm

CLUSTER = RESOLVED["cluster"]

# What a site's choice is for a job with so many GPUs.
SITE_RESOURCES = {
    "slurm_account": lambda gpus: CLUSTER["account"],
    "slurm_partition": lambda gpus: CLUSTER["gpu_partition" if gpus else "partition"],
    "gpu_model": lambda gpus: CLUSTER["gpu_model"] if gpus else None,
    "nodes": lambda gpus: 1,  # SLURM may spread several GPUs over nodes otherwise
}

# What a job reads wherever the run is, and what to do where it cannot.
NEEDED = {
    Path(workflow.basedir, "Snakefile"): "Clone the repository",
    Path(sys.prefix): "`make install` in a clone",
}


def ask_the_cluster():
    """Give every rule the site's resources; what a profile or the command line sets goes first."""
    for resources in (step.resources for step in workflow.rules):
        for key, of in SITE_RESOURCES.items():
            resources.setdefault(key, _site_resource(of, resources.get("gpu")))


def _site_resource(of, gpus):
    def value(wildcards, attempt):
        return of(gpus.evaluate(wildcards, attempt=attempt).value)

    return value if gpus.is_evaluable() else of(gpus.value)


def folders_written():
    """Where jobs write: the run's folder, and where `results` and `logs` lead to."""
    folders = Path.cwd(), Path("results"), Path("logs")
    return [*dict.fromkeys(folder.resolve() for folder in folders if folder.exists())]


def check_cluster():
    """Where jobs go to SLURM: it takes them, its nodes see the run, and no earlier run's are left."""
    if workflow.executor_plugin.name != "slurm":
        return
    jobs = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
    requests = {slurm.flags(job.resources, job.threads): job for job in jobs}
    try:
        slurm.check_folder(Path.cwd())
        # the DAG has its jobs in another order each time: what is said is to be the same
        for request, job in sorted(requests.items(), key=lambda entry: entry[0]):
            name, resources = job.rule.name, job.resources
            slurm.check_request(name, request)
            longest = resources["runtime"] * (1 + job.restart_times)
            slurm.check_time(
                name,
                resources.get("slurm_partition"),
                min(longest, CLUSTER["max_runtime"] or longest),
            )
        if requests:
            slurm.check_shared(folders_written(), NEEDED, min(requests))
    except UserError as error:
        raise WorkflowError(str(error))
