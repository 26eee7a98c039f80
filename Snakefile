import sys

from snakemake.utils import min_version

min_version("9.19")
if len(workflow.included_stack) > 1:
    raise WorkflowError(
        "Ouroboros cannot be a module of another workflow, or be included: its names, paths and checks "
        "are those of a whole workflow. Run it as one, in a folder of its own: "
        f"snakemake --snakefile {workflow.included_stack[-1].get_path_or_uri(secret_free=True)} "
        "--directory FOLDER TARGET (a rule of yours can, too). Its artifacts are files of yours then: "
        "FOLDER/results/..."
    )
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
include: "workflow/rules/status.smk"
include: "workflow/rules/scheduler.smk"


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
end_on_hangup()


onstart:
    look_for_jobs_when_one_ends()
    end_at_any_time()
    check_folders()
    check_gpus()
    check_cluster()
    warn_of_days()
    record_the_run(log)


onsuccess:
    record_the_end(run_records.DONE)


onerror:
    record_the_end(run_records.FAILED)
