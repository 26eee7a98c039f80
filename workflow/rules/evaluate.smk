"""Measurements of a generation or the baseline (`lm`): a rule for each metric that declares its inputs,
and the rules of GPT-Eval (paper 5.3.3) and of text classification (paper 5.4).
"""

for METRIC in EXPERIMENT.metrics:
    if not hasattr(EXPERIMENT.metrics[METRIC], "INPUTS"):
        continue  # its rules stand below

    rule:
        name:
            METRIC
        input:
            unpack(metric_inputs(METRIC)),
        output:
            *metric_outputs(METRIC),
        log:
            "logs/{lineage}/{lm}/" f"{METRIC}.log",
        benchmark:
            "logs/{lineage}/{lm}/" f"{METRIC}.tsv"
        wildcard_constraints:
            lm=paths.LMS[EXPERIMENT.metrics[METRIC].OF],
        conda:
            ENVIRONMENT
        threads: threads(METRIC)
        resources:
            **resources(METRIC),
        params:
            **metric_settings(METRIC),
            seed=part("seed"),
            generation=generation,
        script:
            "../scripts/measure.py"


rule samples:
    input:
        corpus=lambda wildcards: EXPERIMENT.shards(wildcards.lineage, wildcards.lm)[:1],
        tokenizer=of_corpus(paths.TOKENIZER),
    output:
        paths.SAMPLES,
    log:
        "logs/{lineage}/{lm}/samples.log",
    wildcard_constraints:
        lm=paths.LMS["corpus"],
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    params:
        samples=setting("evaluation", "samples"),
        sample_tokens=setting("evaluation", "sample_tokens"),
    script:
        "../scripts/samples.py"


rule completions:
    input:
        checkpoint=paths.CHECKPOINT,
        prompts=by(
            lambda wildcards: local_files.prompts_file(
                wildcards.lineage, setting("evaluation", "prompts")(wildcards), ROOT
            )
        ),
    output:
        "results/{lineage}/{lm}/completions.json",
    log:
        "logs/{lineage}/{lm}/completions.log",
    benchmark:
        "logs/{lineage}/{lm}/completions.tsv"
    conda:
        ENVIRONMENT
    threads: threads("completions")
    resources:
        **resources("completions"),
    params:
        prompts=setting("evaluation", "prompts"),
        completions=setting("evaluation", "completions"),
        new_tokens=setting("evaluation", "new_tokens"),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/completions.py"


# The replies are in a file of the judge's own, which no rule declares: Snakemake deletes what a job
# that failed has made, and these are paid for.
rule gpt_eval:
    input:
        "results/{lineage}/{lm}/completions.json",
    output:
        "results/{lineage}/{lm}/gpt_eval.json",
    log:
        "logs/{lineage}/{lm}/gpt_eval.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("gpt_eval")
    resources:
        **resources("gpt_eval"),
        judge=1,
    params:
        judge=by(lambda wildcards: EXPERIMENT.judge_identity(wildcards.lineage)),
        replies=by(
            lambda wildcards: paths.REPLIES.format(judge=EXPERIMENT.judge_name(wildcards.lineage))
        ),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/gpt_eval.py"


rule gpt_eval_cost:
    input:
        lambda wildcards: [
            f"results/{wildcards.lineage}/{lm}/completions.json"
            for lm in EXPERIMENT.judged(wildcards.lineage)
        ],
    output:
        paths.GPT_EVAL_COST,
    log:
        "logs/{lineage}/gpt_eval_cost.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    params:
        judge=by(lambda wildcards: RESOLVED["judges"][EXPERIMENT.judge_name(wildcards.lineage)]),
        lms=lambda wildcards: EXPERIMENT.judged(wildcards.lineage),
        seed=part("seed"),
    script:
        "../scripts/gpt_eval_cost.py"


rule classification:
    input:
        checkpoint=paths.CHECKPOINT,
        train="results/tasks/{task}/train.parquet",
        validation="results/tasks/{task}/validation.parquet",
    output:
        paths.CLASSIFICATION,
    log:
        "logs/{lineage}/{lm}/classification-{task}.log",
    benchmark:
        "logs/{lineage}/{lm}/classification-{task}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("classification")
    resources:
        **resources("classification"),
    params:
        task=lambda wildcards: RESOLVED["tasks"][wildcards.task],
        fine_tuning=lambda wildcards: EXPERIMENT.fine_tuning(wildcards.lineage, wildcards.task),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/classification.py"
