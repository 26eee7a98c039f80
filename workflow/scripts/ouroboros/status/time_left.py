"""How long a run will still take: by the plan's rates where they are on disk, else by jobs that are done."""

import statistics
from pathlib import Path

from ouroboros.errors import UserError
from ouroboros.pipeline import local_files, paths, plans, run_records
from ouroboros.pipeline.experiment import Experiment
from ouroboros.planning import schedule
from ouroboros.planning.assumptions import cost_model
from ouroboros.status.jobs import AT_WORK, DONE, Job
from ouroboros.storage.atomic import read_json

SHORT = 5.0  # seconds of a job whose rule takes no times: to start Python, mostly
LONG = {"train", "train_first", "sample"}  # without a time of these, nothing can be said


def seconds_to_go(run: dict, jobs: list[Job], root: Path) -> tuple[dict[int, float] | None, str]:
    """Seconds until each job that is not done ends, by its place in `jobs`; and by what that is known.

    None where nothing is known yet. `root`: the folder of the Snakefile.
    """
    unfinished = [place for place, job in enumerate(jobs) if job.state != DONE]
    costs = _costs_on_disk(run, root)
    seconds = costs.seconds if costs else _Measured(run).seconds
    basis = "the plan's rates" if costs else "the times of jobs that are done"
    new, listed = {old: place for place, old in enumerate(unfinished)}, []
    for place in unfinished:
        job = jobs[place]
        whole = seconds(job.record)
        if whole is None:
            return None, "no generation is trained and sampled yet, and no plan was made (`plan`)"
        parents = [new[parent] for parent in job.record["after"] if parent in new]
        gpus, cores = job.record["gpus"], job.record["threads"]
        listed.append(schedule.Job(_rest(job, whole), gpus, cores, parents))
    most = len(listed)
    gpus = (
        run["gpus"] if run["gpus"] is not None else most * max((j.gpus for j in listed), default=0)
    )
    cores = run["cores"] or most * max((job.cores for job in listed), default=1)
    return dict(zip(unfinished, schedule.ends(listed, gpus, cores), strict=True)), basis


def _rest(job, whole):
    """Seconds left of a job that takes `whole` seconds in all."""
    if job.state != AT_WORK:
        return whole
    if job.rule == "sample" and job.reported and job.reported.left is not None:
        return job.reported.left
    return max(0.0, whole - (job.since or 0.0))


def _costs_on_disk(run, root):
    """The cost model of a plan of the run's lineages; None unless all its measurements are there."""
    experiment = Experiment(run["resolved"], root)
    resolved = experiment.resolved
    names = sorted(run_records.lineages(run))
    try:
        facts = plans.plan_facts(
            experiment,
            names,
            lambda corpus: local_files.source_files(corpus, resolved["corpora"][corpus], root),
            lambda task: local_files.task_files(task, resolved["tasks"][task], root),
        )
        calibrations = {name: read_json(path) for name, path in facts["calibrations"].items()}
        machine_speed = read_json(paths.MACHINE_SPEED)
        costs, _ = cost_model(facts, calibrations, machine_speed, run["executor"] == "slurm")
    except (OSError, ValueError, UserError):
        return None  # no plan was made; or data were moved, or are half-written
    return costs


class _Measured:
    """Times of jobs that are done, from the `.tsv` beside their logs; medians, since a job that carried
    on from a state took less.
    """

    def __init__(self, run):
        self.times = {}  # (lineage, rule) -> seconds
        for lineage in run_records.lineages(run):
            for file in Path("logs", lineage).glob("*/*.tsv"):
                rule = file.stem.split("-")[0]  # sample-00000, classification-TASK
                if rule == "train" and file.parent.name == "gen1":
                    rule = "train_first"  # it finds the number of epochs, which takes more
                if (seconds := _seconds(file)) is not None:
                    for key in ((lineage, rule), (None, rule)):
                        self.times.setdefault(key, []).append(seconds)

    def seconds(self, job: dict) -> float | None:
        """Seconds of a job as of its like: of its lineage, else of another; None where none is known."""
        rule, lineage = job["rule"], job["wildcards"].get("lineage")
        alike = [rule, "train_first"] if rule == "train" else [rule]
        for key in [(of, name) for name in alike for of in (lineage, None)]:
            if key in self.times:
                return statistics.median(self.times[key])
        return None if rule in LONG else SHORT


def _seconds(file):
    """The seconds of a benchmark; None where it is not whole."""
    try:
        return float(file.read_text(encoding="utf-8").splitlines()[1].split()[0])
    except (OSError, ValueError, IndexError):
        return None
