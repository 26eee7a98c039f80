import sys

from snakemake.utils import min_version

min_version("9.19")
# A lineage is a chain of two jobs per generation, and Snakemake walks it recursively.
sys.setrecursionlimit(100_000)


report: "workflow/report/workflow.rst"


configfile: f"{workflow.basedir}/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/lineage.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/preflight.smk"


check_group_names()


# A lineage or a comparison is a target by its name; `all` is all comparisons and their report.
for TARGET in ["all", *GROUPS]:

    rule:
        name:
            TARGET
        default_target: TARGET == "all"
        input:
            everything_of(TARGET),
        localrule: True


ask_the_cluster()
check_targets()
note_the_lock()


onstart:
    check_folders()
    check_gpus()
    check_cluster()
