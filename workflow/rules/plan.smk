"""Plans: the cost of a run before it runs, by rates of this machine."""


rule calibrate_machine:
    input:
        f"{ROOT}/resources/story_grammar.yaml",
    output:
        paths.MACHINE_SPEED,
    log:
        "logs/calibration/machine.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("report"),
    script:
        "../scripts/calibrate_machine.py"


# As large as the job that trains: it takes the whole device, so that nothing runs beside it.
rule calibrate:
    input:
        f"{ROOT}/resources/story_grammar.yaml",
    output:
        paths.CALIBRATION,
    log:
        "logs/calibration/{calibration}.log",
    wildcard_constraints:
        calibration=r"[A-Za-z0-9_-]+-[0-9a-f]{8}",
    conda:
        ENVIRONMENT
    threads: by(lambda wildcards: calibrated(wildcards)["resources"]["train"]["threads"])
    resources:
        gpu=by(lambda wildcards: min(1, calibrated(wildcards)["resources"]["train"]["gpu"])),
        mem_mb=by(lambda wildcards: calibrated(wildcards)["resources"]["train"]["mem_mb"]),
        runtime=by(lambda wildcards: calibrated(wildcards)["resources"]["train"]["runtime"]),
    params:
        settings=by(
            lambda wildcards: plans.calibration_settings(
                EXPERIMENT, plans.calibrated(EXPERIMENT, wildcards.calibration)
            )
        ),
    script:
        "../scripts/calibrate.py"


rule group_plan:
    input:
        machine=paths.MACHINE_SPEED,
        calibrations=lambda wildcards: sorted(
            set(plans.calibrations(EXPERIMENT, GROUPS[wildcards.group]).values())
        ),
    output:
        json=paths.PLAN,
        markdown=paths.PLAN_TEXT,
    log:
        "logs/{group}/plan.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        facts=by(
            lambda wildcards: plans.plan_facts(
                EXPERIMENT, GROUPS[wildcards.group], source_files, task_files
            )
        ),
        on_cluster=lambda wildcards: on_cluster(),
    script:
        "../scripts/group_plan.py"


# As large as the machine, which it measures models on; a run has as many cores.
rule group_fit:
    input:
        machine=paths.MACHINE_SPEED,
        grammar=f"{ROOT}/resources/story_grammar.yaml",
    output:
        yaml=paths.FIT,
        markdown=paths.FIT_TEXT,
    log:
        "logs/{group}/fit.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 100_000
    resources:
        gpu=by(lambda wildcards: min(1, LINEAGES[wildcards.group]["resources"]["train"]["gpu"])),
        mem_mb=by(lambda wildcards: LINEAGES[wildcards.group]["resources"]["train"]["mem_mb"]),
        runtime=by(lambda wildcards: LINEAGES[wildcards.group]["resources"]["train"]["runtime"]),
    params:
        facts=by(
            lambda wildcards: plans.plan_facts(
                EXPERIMENT, GROUPS[wildcards.group], source_files, task_files
            )
        ),
    script:
        "../scripts/group_fit.py"


# Nothing is declared as made, so that every `snakemake plan` prints.
rule plan:
    input:
        lambda wildcards: [
            (paths.FIT_TEXT if RESOLVED["plan"]["fit"] else paths.PLAN_TEXT).format(group=group)
            for group in RESOLVED["plan"]["groups"] or EXPERIMENT.comparisons
        ],
    log:
        "logs/plan.log",
    localrule: True
    conda:
        ENVIRONMENT
    script:
        "../scripts/print_plans.py"
