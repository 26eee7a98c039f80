"""What is looked at before anything runs: the folder's lock, whether it can be written, the GPUs."""

import os

from ouroboros.preflight.snakemake_lock import lock_note


def note_the_lock():
    """Say whose lock is in this folder; Snakemake's own message follows where it is in the way."""
    note = lock_note(Path.cwd()) if workflow.is_main_process else None
    if note:
        print(note, file=sys.stderr)


def check_folders():
    """Every folder that jobs write to can be written."""
    for folder in (Path.cwd(), Path("results"), Path("logs")):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise WorkflowError(
                f"{folder.resolve()} cannot be written (it is read-only, or another user's). Run "
                "in a folder of your own with --directory, or make this one writable."
            )


def check_gpus():
    """No job wants more GPUs than may be in use at once: Snakemake would give it fewer, silently."""
    most = workflow.global_resources.get("gpu")
    for job in workflow.dag.needrun_jobs():
        asked = job.rule.resources.get("gpu")
        wanted = (asked.evaluate(job.wildcards, attempt=1).value if asked else 0) or 0
        if most is not None and 0 < most.value < wanted:  # 0 is for a run without GPUs
            raise WorkflowError(
                f"A job of {job.rule.name} wants {wanted} GPUs, and the run may use {most.value} at "
                f"a time. Give `--resources gpu={wanted}` (or more), or lower `gpu` of this rule "
                "under `resources` in the configuration."
            )
