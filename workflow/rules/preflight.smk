"""Checks before anything runs: names, targets, the folder, GPUs, the cluster."""

import os
import signal
import threading

from snakemake.cli import get_argument_parser

from ouroboros.config.checks import check_reserved
from ouroboros.planning.real_text import check_real_text
from ouroboros.preflight import slurm
from ouroboros.preflight.snakemake_lock import describe_lock

# What a job reads wherever the run is, and what to do where it cannot.
NEEDED = {
    Path(workflow.basedir, "Snakefile"): "Clone the repository",
    Path(sys.prefix): "`make install` in a clone",
}


def check_group_names():
    """No lineage or comparison is called like a rule or like a folder that lineages share."""
    try:
        check_reserved(RESOLVED, {"all", *paths.SHARED, *(rule.name for rule in workflow.rules)})
    except UserError as error:
        raise WorkflowError(str(error))


def asked_targets():
    """The targets of the command line; everything where another program calls Snakemake's functions."""
    program = Path(sys.argv[0])  # `snakemake`, or .../snakemake/__main__.py
    if "snakemake" not in (program.name, program.parent.name):
        return [*GROUPS]
    # As Snakemake itself reads its command line, of which the workflow is told later than this.
    return get_argument_parser().parse_known_args(sys.argv[1:])[0].targets or ["all"]


def check_targets():
    """Say what is wrong with a target that no rule makes, and with the files that others are made of.

    Those of a job would not do: Snakemake is silent about them where what it makes is there already.
    """
    if not workflow.is_main_process:
        return
    asked = asked_targets()
    for target in asked:
        path = str(Path(target))  # without a ./ before it, as Snakemake takes it
        if workflow.is_rule(target):
            if workflow.get_rule(target).has_wildcards():
                raise WorkflowError(f"{target}: {targets.complain_of_step(EXPERIMENT)}")
        elif not (
            any(maker.is_producer(path) for maker in workflow.rules) or Path(target).is_file()
        ):
            raise WorkflowError(f"{target}: {targets.complain_of_path(EXPERIMENT, target)}")
    for target in asked:
        corpora, tasks, lineages = targets.sources(EXPERIMENT, target)
        try:
            for corpus in sorted(corpora):
                source_files(corpus)
            for task in sorted(tasks):
                task_files(task)
            for lineage in sorted(lineages):
                initial_model_files(lineage)
            names = EXPERIMENT.with_part_of(corpora)
            check_real_text(plans.plan_facts(EXPERIMENT, names, source_files, task_files))
        except UserError as error:
            raise WorkflowError(str(error))


def note_the_lock():
    """Say whose lock is in this folder; Snakemake's own message follows where it is in the way."""
    note = describe_lock(Path.cwd()) if workflow.is_main_process else None
    if note:
        print(note, file=sys.stderr)


def end_on_hangup():
    """A terminal that is closed ends a run as SIGTERM does, so that no lock is left."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not with nohup
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def ask_the_cluster():
    """Give every rule the site's resources; what a profile or the command line sets goes first."""
    for asked in (maker.resources for maker in workflow.rules):
        for key in job_resources.site_resources(RESOLVED["cluster"], 0):
            asked.setdefault(key, _site_resource(key, asked.get("gpu")))


def _site_resource(key, gpus):
    def of(count):
        return job_resources.site_resources(RESOLVED["cluster"], count or 0)[key]

    def value(wildcards, attempt):
        return of(gpus.evaluate(wildcards, attempt=attempt).value)

    return value if gpus.is_evaluable() else of(gpus.value)


def written_folders():
    """The folders that jobs write to: of this run, and where links in results/ lead."""
    results = Path("results")
    links = sorted(path for path in results.glob("*") if path.is_symlink())
    return [Path.cwd(), results, Path("logs"), *links]


def check_folders():
    """Every folder that jobs write to can be written."""
    for folder in written_folders():
        if folder.is_symlink() and not folder.exists():
            raise WorkflowError(
                f"{folder} is a link to {os.readlink(folder)}, which is not there: mount or make that "
                "folder, or remove the link."
            )
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise WorkflowError(
                f"{folder.resolve()} cannot be written (it is read-only, or another user's). Run "
                "in a folder of your own with --directory, or make this one writable."
            )


def check_gpus():
    """No job wants more GPUs than may be in use at once: Snakemake would give it fewer, silently."""
    most = workflow.global_resources.get("gpu").value  # None without a limit
    for job in workflow.dag.needrun_jobs():
        asked = job.rule.resources.get("gpu")
        wanted = (asked.evaluate(job.wildcards, attempt=1).value if asked else 0) or 0
        if most is not None and 0 < most < wanted:  # 0 is for a run without GPUs
            raise WorkflowError(
                f"A job of {job.rule.name} wants {wanted} GPUs, and the run may use {most} at "
                f"a time. Give `--resources gpu={wanted}` (or more), or lower `gpu` of this rule "
                "under `resources` in the configuration."
            )


def check_cluster():
    """Where jobs go to SLURM: it takes them, its nodes see the run, and no earlier run's are left."""
    if not on_cluster():
        return
    jobs = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
    requests = {slurm.sbatch_flags(job.resources, job.threads): job for job in jobs}
    longest_of_all = RESOLVED["cluster"]["max_runtime"]
    try:
        slurm.check_no_jobs(Path.cwd())
        # the DAG has its jobs in another order each time: what is said is to be the same
        for request, job in sorted(requests.items(), key=lambda entry: entry[0]):
            name, asked = job.rule.name, job.resources
            slurm.check_request(name, request)
            longest = asked["runtime"] * (1 + job.restart_times)
            slurm.check_time_limit(
                name, asked.get("slurm_partition"), min(longest, longest_of_all or longest)
            )
        if requests:
            folders = dict.fromkeys(
                folder.resolve() for folder in written_folders() if folder.exists()
            )
            slurm.check_shared_paths([*folders], NEEDED, min(requests))
    except UserError as error:
        raise WorkflowError(str(error))


def warn_of_days():
    """Say of a run on this machine that it takes days, by arithmetic alone; it goes on all the same."""
    if workflow.executor_plugin.name != "local":
        return
    # Not for every reading of this file.
    from ouroboros.planning.arithmetic import DAY, estimate, has_gpu, warning

    jobs = [_listed(job) for job in workflow.dag.needrun_jobs()]
    lineages = {job["wildcards"].get("lineage") for job in jobs}
    corpora = {job["wildcards"].get("corpus") for job in jobs}
    names = [name for name, of in LINEAGES.items() if name in lineages or of["corpus"] in corpora]
    facts = plans.plan_facts(EXPERIMENT, names, source_files, task_files)
    most_gpus = workflow.global_resources.get("gpu").value
    wanted = max((job["gpus"] for job in jobs), default=0)
    gpus, cores = wanted if most_gpus is None else most_gpus, workflow.cores or os.cpu_count()
    here = has_gpu() and gpus > 0

    def seconds(any_gpu):
        return estimate(jobs, facts, plans.existing, gpus, cores, any_gpu)

    found = seconds(here)
    asked = any(LINEAGES[name]["resources"]["train"]["gpu"] for name in names)
    words = warning(
        found,
        f"{cores} cores, {'a' if here else 'no'} GPU",
        seconds(True) if asked and not here and found > DAY else None,
        _command_to_fit(sorted(lineages & set(LINEAGES), key=[*LINEAGES].index)),
    )
    if words:
        print(words, file=sys.stderr)


def _listed(job):
    """A job of the DAG, as a dry-run is read (dry_run.py).

    Its size is looked up in the configuration: Snakemake takes a second to evaluate 1,000 jobs' resources.
    """
    name, wildcards = job.rule.name, dict(job.wildcards.items())
    settings = LINEAGES.get(wildcards.get("lineage"), RESOLVED)["resources"]
    asked = settings.get("train" if name == "train_first" else name, {})
    return {
        "rule": name,
        "input": job.input,
        "output": job.output,
        "wildcards": wildcards,
        "gpus": asked.get("gpu", 0),
        "cores": asked.get("threads", 1),
    }


def _command_to_fit(lineages):
    files = " ".join(map(str, workflow.overwrite_configfiles or ()))
    given = f"--configfile {files} " if files else ""
    return (
        f"snakemake {given}--cores all plan --config plan='{{fit: 8h, groups: [{lineages[0]}]}}'"
        if lineages
        else "snakemake --cores all plan"
    )
