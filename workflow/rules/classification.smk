"""Text classification: a job per task for its examples, and one per LM and task."""


rule task:
    input:
        unpack(lambda wildcards: TASK_FILES[wildcards.task]),
    output:
        train="results/tasks/{task}/train.parquet",
        validation="results/tasks/{task}/validation.parquet",
    log:
        "logs/tasks/{task}.log",
    conda:
        ENVIRONMENT
    threads: resource("task", "threads")
    resources:
        mem_mb=resource("task", "mem_mb"),
        runtime=resource("task", "runtime"),
    params:
        task=lambda wildcards: RESOLVED["tasks"][wildcards.task],
    script:
        "../scripts/task.py"


rule classification:
    input:
        checkpoint="results/{lineage}/{lm}/checkpoint",
        train="results/tasks/{task}/train.parquet",
        validation="results/tasks/{task}/validation.parquet",
    output:
        "results/{lineage}/{lm}/classification/{task}.json",
    log:
        "logs/{lineage}/{lm}/classification-{task}.log",
    benchmark:
        "logs/{lineage}/{lm}/classification-{task}.tsv"
    conda:
        ENVIRONMENT
    threads: resource("classification", "threads")
    resources:
        gpu=resource("classification", "gpu"),
        mem_mb=resource("classification", "mem_mb"),
        runtime=resource("classification", "runtime"),
    params:
        task=lambda wildcards: RESOLVED["tasks"][wildcards.task],
        fine_tuning=fine_tuning,
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/classification.py"
