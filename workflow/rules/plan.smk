"""What a run will cost, before it runs: rates of this machine, and plans made of them."""


rule calibrate_machine:
    input:
        f"{workflow.basedir}/resources/story_grammar.yaml",
    output:
        "results/calibration/machine.json",
    log:
        "logs/calibration/machine.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    script:
        "../scripts/calibrate_machine.py"


# As large as the job that trains: it takes the whole device, so that nothing runs beside it.
rule calibrate:
    input:
        f"{workflow.basedir}/resources/story_grammar.yaml",
    output:
        "results/calibration/{calibration}.json",
    log:
        "logs/calibration/{calibration}.log",
    wildcard_constraints:
        calibration=r"[A-Za-z0-9_-]+-[0-9a-f]{8}",
    conda:
        ENVIRONMENT
    threads: calibration_resource("train", "threads")
    resources:
        gpu=lambda wildcards: min(1, calibration_resource("train", "gpu")(wildcards)),
        mem_mb=calibration_resource("train", "mem_mb"),
        runtime=calibration_resource("train", "runtime"),
    params:
        settings=lambda wildcards: calibration_settings(calibrated(wildcards)),
    script:
        "../scripts/calibrate.py"


rule group_plan:
    input:
        machine="results/calibration/machine.json",
        calibrations=lambda wildcards: sorted(set(calibrations(wildcards.group).values())),
    output:
        json="results/{group}/plan.json",
        markdown="results/{group}/plan.md",
    log:
        "logs/{group}/plan.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        facts=plan_facts,
    script:
        "../scripts/plan.py"


# Nothing is declared as made, so that every `snakemake plan` prints.
rule plan:
    input:
        lambda wildcards: [
            f"results/{group}/plan.md" for group in RESOLVED["plan"]["groups"] or COMPARISONS
        ],
    log:
        "logs/plan.log",
    localrule: True
    conda:
        ENVIRONMENT
    script:
        "../scripts/print_plans.py"
