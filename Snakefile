import os
import sys

from snakemake.utils import min_version

min_version("9.19")
# A lineage is a chain of two jobs per generation, and Snakemake walks it recursively.
sys.setrecursionlimit(100_000)
# Jobs inherit these. They keep the C library from handing every tensor's memory back to the
# kernel: the page faults would cost training on a CPU much of its time.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "8589934592")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "17179869184")
os.environ.setdefault("MALLOC_TOP_PAD_", "268435456")


report: "workflow/report/workflow.rst"


configfile: f"{workflow.basedir}/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/local_files.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/judges.smk"
include: "workflow/rules/report_inputs.smk"
include: "workflow/rules/plans.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/guards.smk"
include: "workflow/rules/cluster.smk"


rule all:
    default_target: True
    input:
        targets_of(*COMPARISONS),
        "results/report.html",
    localrule: True


include: "workflow/rules/corpus.smk"
include: "workflow/rules/lineage.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/gpt_eval.smk"
include: "workflow/rules/classification.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/report_page.smk"
include: "workflow/rules/plan.smk"


# Each lineage and each comparison is a target of its own: `snakemake demo`, `snakemake paper`.
for group in GROUPS:

    rule:
        name:
            group
        input:
            targets_of(group),
        localrule: True


# Seconds each, or the judge's network: they stay on the machine where snakemake runs.
localrules:
    samples,
    lineage_samples,
    table,
    findings,
    gpt_eval,
    gpt_eval_cost,
    gpt_eval_table,
    figure_perplexity,
    figure_entropy,
    figure_gpt_eval,
    figure_classification,
    figure_losses,
    figure_schematic,
    report_page,
    report_of_all,


ask_the_cluster()
check_targets()
note_the_lock()


onstart:
    check_folders()
    check_gpus()
    check_cluster()
