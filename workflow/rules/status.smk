"""The record of a run, which `make status` reads: see ouroboros/pipeline/run_records.py."""

from ouroboros.pipeline import run_records

RECORD = []  # the path of this run's, once it has begun


def record_the_run(snakemake_log):
    """Write down what this run is to do. A plan, which makes nothing of a lineage, is not recorded."""
    jobs = [job for job in workflow.dag.needrun_jobs() if job.output]
    places = {job: place for place, job in enumerate(jobs)}
    if not any("lineage" in job.wildcards_dict for job in jobs):
        return
    run = {
        "targets": asked_targets(),
        "executor": workflow.executor_plugin.name,
        "cores": workflow.resource_settings.cores,
        "gpus": workflow.global_resources.get("gpu").value,
        "snakemake_log": next(map(os.path.relpath, snakemake_log or []), None),
        "resolved": RESOLVED,
        "jobs": [
            {
                "rule": job.rule.name,
                "wildcards": dict(job.wildcards_dict),
                "input": [str(path) for path in job.input if "/corpus/" in path],
                "output": [*map(str, job.output)],
                "log": str(job.log[0]) if job.log else None,
                "threads": job.threads,
                "gpus": job.resources.get("gpu") or 0,
                "after": sorted(
                    places[other] for other in workflow.dag.dependencies[job] if other in places
                ),
            }
            for job in jobs
        ],
    }
    try:
        RECORD.append(run_records.begin(run))
    except UserError as error:
        raise WorkflowError(str(error))


def record_the_end(outcome):
    """Note that this run is over. Not worth an error: what it made is there."""
    for path in RECORD:
        try:
            run_records.end(path, outcome)
        except UserError as error:
            print(error, file=sys.stderr)
