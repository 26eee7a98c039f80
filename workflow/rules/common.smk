"""Configuration, wildcard constraints and parameter functions. Nothing heavy: every job re-reads this."""

import math
import re
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/workflow/scripts")
from ouroboros.config.resolve import resolve
from ouroboros.errors import UserError, nearest

ENVIRONMENT = f"{workflow.basedir}/envs/ouroboros.yaml"
RESERVED = frozenset(
    "all corpora lexicon initial_corpus tokenizer tokenise sequences gen0 baseline train_first "
    "train sample ppl text samples judges completions gpt_eval gpt_eval_cost task tasks "
    "classification figure_perplexity figure_entropy figure_gpt_eval figure_classification "
    "figure_losses figure_schematic findings table lineage_samples gpt_eval_table calibration "
    "calibrate calibrate_machine plan group_plan report report_page report_of_all".split()
)

try:
    SCHEMA = yaml.safe_load(
        Path(workflow.basedir, "workflow/schemas/config.schema.yaml").read_text()
    )
    RESOLVED = resolve(config, SCHEMA, RESERVED)
except UserError as error:
    raise WorkflowError(str(error))

LINEAGES = RESOLVED["lineages"]
COMPARISONS = RESOLVED["comparisons"]
GROUPS = {name: [name] for name in LINEAGES} | COMPARISONS


wildcard_constraints:
    lineage="|".join(map(re.escape, LINEAGES)),
    group="|".join(map(re.escape, GROUPS)),
    corpus="|".join(map(re.escape, RESOLVED["corpora"])) or "none",
    tokenizer="|".join(map(re.escape, RESOLVED["tokenizers"])) or "none",
    task="|".join(map(re.escape, RESOLVED["tasks"])) or "none",
    n=r"[1-9]\d*",
    lm=r"baseline|gen[1-9]\d*",
    shard=r"\d{5}",
    length=r"\d+",
    cut=r"-?\d+(\.\d+)?",


def part(name):
    """A parameter function: one part of the wildcards' lineage (`model`, `seed`, ...)."""
    return lambda wildcards: LINEAGES[wildcards.lineage][name]


def setting(name, key):
    """A parameter function: one key of a part of the wildcards' lineage."""
    return lambda wildcards: LINEAGES[wildcards.lineage][name][key]


def resource(rule_name, key):
    """A resource of a rule: the lineage's own where there is a lineage, else the general one.

    Every further attempt at a job gets as much memory and time again.
    """

    def of(wildcards, attempt):
        lineage = LINEAGES.get(getattr(wildcards, "lineage", None), RESOLVED)
        value = lineage["resources"][rule_name][key]
        if key == "runtime":
            return min(value * attempt, RESOLVED["cluster"]["max_runtime"] or math.inf)
        return value * attempt if key == "mem_mb" else value

    return of


def fine_tuning(wildcards):
    """How a task is learnt: the lineage's settings, and the task's own where it has any."""
    settings = LINEAGES[wildcards.lineage]["evaluation"]["classification"]
    task = RESOLVED["tasks"][wildcards.task]
    return {key: task.get(key, settings[key]) for key in settings if key != "tasks"}


def tests(wildcards):
    """What every LM of the wildcards' lineage is measured by, in words."""
    evaluation = LINEAGES[wildcards.lineage]["evaluation"]
    found = ["perplexity", "free text"]
    found += ["GPT-Eval"] if evaluation["judge"] else []
    tasks = len(evaluation["classification"]["tasks"])
    return found + ([f"fine-tuning: {tasks} tasks"] if tasks else [])


def generation(wildcards):
    """The number in `lm`; the baseline, which no training made, is 0."""
    lm = getattr(wildcards, "lm", None) or f"gen{wildcards.n}"
    return 0 if lm == "baseline" else int(lm.removeprefix("gen"))
