"""The configuration, and how a job's wildcards meet the functions of ouroboros/pipeline.

Nothing heavy: every job of a cluster reads this again.
"""

import functools
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/workflow/scripts")
from ouroboros.config.resolve import resolve
from ouroboros.errors import UserError
from ouroboros.pipeline import declarations, local_files, paths, plans, reports, targets
from ouroboros.pipeline import resources as job_resources
from ouroboros.pipeline.experiment import Experiment
from ouroboros.preflight.place import check_place

# Jobs inherit these. They keep the C library from handing every tensor's memory back to the
# kernel: the page faults would cost training on a CPU much of its time.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "8589934592")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "17179869184")
os.environ.setdefault("MALLOC_TOP_PAD_", "268435456")
# A thread that waits for the others spins for half a millisecond, not for the 14 ms that are its default:
# beside another busy process these would be the very time that the others need.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

ROOT = Path(workflow.basedir)
ENVIRONMENT = f"{ROOT}/envs/ouroboros.yaml"

try:
    check_place(ROOT, sys.executable)
    RESOLVED = resolve(config, declarations.read_schema(ROOT))
    EXPERIMENT = Experiment(RESOLVED, ROOT)
except UserError as error:
    raise WorkflowError(str(error))

LINEAGES, GROUPS = EXPERIMENT.lineages, EXPERIMENT.groups
config["judges"] = RESOLVED["judges"]  # for scripts, with their defaults filled in


def either(names):
    """The pattern of a wildcard that is one of these names."""
    return "|".join(map(re.escape, names)) or "none"


wildcard_constraints:
    lineage=either(LINEAGES),
    group=either(GROUPS),
    corpus=either(RESOLVED["corpora"]),
    tokenizer=either(RESOLVED["tokenizers"]),
    task=either(RESOLVED["tasks"]),
    figure=either(EXPERIMENT.figures),
    n=r"[1-9]\d*",
    lm=r"baseline|gen[1-9]\d*",
    shard=paths.WILDCARDS["shard"],
    length=paths.WILDCARDS["length"],
    sequences=paths.WILDCARDS["sequences"],
    cut=paths.WILDCARDS["cut"],


def by(function):
    """A function of the wildcards whose errors are told in words."""

    def value(wildcards):
        try:
            return function(wildcards)
        except UserError as error:
            raise WorkflowError(str(error))

    return value


# Looked for where they are needed (check_targets): a file that is missing stops nothing else.
@functools.cache
def source_files(corpus):
    """The files that a corpus is made of, by key of its entry."""
    return local_files.source_files(corpus, RESOLVED["corpora"][corpus], ROOT)


@functools.cache
def tokenizer_files(tokenizer):
    """The file of a local tokenizer."""
    return local_files.tokenizer_files(tokenizer, RESOLVED["tokenizers"][tokenizer])


@functools.cache
def task_files(task):
    """The files that a task is made of, by split."""
    return local_files.task_files(task, RESOLVED["tasks"][task], ROOT)


@functools.cache
def initial_model_files(lineage):
    """The files of a lineage's initial model, where that is a folder."""
    return local_files.initial_model_files(lineage, LINEAGES[lineage].get("initial_model"))


def part(name):
    """A parameter function: one part of the wildcards' lineage (`model`, `seed`, ...)."""
    return lambda wildcards: LINEAGES[wildcards.lineage][name]


def setting(name, key):
    """A parameter function: one key of a part of the wildcards' lineage."""
    return lambda wildcards: LINEAGES[wildcards.lineage][name][key]


def generation(wildcards):
    """The number in `lm`; the baseline, which no training made, is 0."""
    lm = getattr(wildcards, "lm", None) or f"gen{wildcards.n}"
    return 0 if lm == "baseline" else int(lm.removeprefix("gen"))


def threads(rule_name):
    """The CPU threads of a rule's jobs."""
    return resources(rule_name, "threads")["threads"]


def resources(rule_name, *keys):
    """The resources of a rule's jobs, as the configuration has them: key -> function."""
    keys = keys or [key for key in RESOLVED["resources"][rule_name] if key != "threads"]

    def of(key):
        return lambda wildcards, attempt: job_resources.resource(
            EXPERIMENT, rule_name, key, getattr(wildcards, "lineage", None), attempt
        )

    return {key: of(key) for key in keys}


def of_corpus(pattern, **wildcards):
    """An input function: a file that every lineage on the same corpus and tokenizer shares."""
    return lambda job: EXPERIMENT.of_corpus(job.lineage, pattern, **wildcards)


def files(metric):
    """An input function: a metric of all LMs of the wildcards' lineage."""
    return lambda wildcards: EXPERIMENT.files(wildcards.lineage, metric)


def metric_inputs(metric):
    """An input function: the files that a metric declares, of the wildcards' LM."""
    return lambda wildcards: EXPERIMENT.metric_inputs(metric, wildcards.lineage, wildcards.lm)


def metric_outputs(metric):
    """The files that a metric writes, with `{lineage}` and `{lm}` left in."""
    return [path.replace("{metric}", metric) for path in EXPERIMENT.metric_outputs(metric)]


def metric_settings(metric):
    """Parameter functions: the settings that a metric declares."""
    return {key: setting("evaluation", key) for key in EXPERIMENT.metrics[metric].SETTINGS}


def everything_of(target):
    """An input function: the targets of a group, listed only where they are asked for.

    Every job reads the Snakefile again, and with many lineages most of that would be such lists.
    """
    if target == "all":
        return lambda wildcards: [
            *(
                path
                for group in EXPERIMENT.comparisons
                for path in targets.group_targets(EXPERIMENT, group)
            ),
            paths.REPORT_OF_ALL,
        ]
    return lambda wildcards: targets.group_targets(EXPERIMENT, target)


def reported(wildcards):
    """The group of a report; None for the report of everything."""
    return getattr(wildcards, "group", None)


def calibrated(wildcards):
    """The lineage whose speed a calibration measures."""
    return LINEAGES[plans.calibrated(EXPERIMENT, wildcards.calibration)]


def on_cluster():
    """True where jobs go to SLURM; known once the whole workflow has been read."""
    return workflow.executor_plugin.name == "slurm"


def shown(path, kind, **labels):
    """An output that Snakemake's own report shows, with the caption of its kind."""
    owner = "{group}" if "{group}" in path else "{lineage}"
    category = {"samples": "Samples", "findings": "Findings", "page": "Report"}.get(kind, "Tables")
    return report(
        path,
        caption=f"{ROOT}/workflow/report/{kind}.rst",
        category=category,
        subcategory=owner,
        labels=labels | {"of": owner},
    )
