"""GPT-Eval: completions of given beginnings, and a judge's grades for them (paper 5.3.3)."""


rule completions:
    input:
        checkpoint="results/{lineage}/{lm}/checkpoint",
        prompts=prompts_file,
    output:
        "results/{lineage}/{lm}/completions.json",
    log:
        "logs/{lineage}/{lm}/completions.log",
    benchmark:
        "logs/{lineage}/{lm}/completions.tsv"
    conda:
        ENVIRONMENT
    threads: resource("completions", "threads")
    resources:
        gpu=resource("completions", "gpu"),
        mem_mb=resource("completions", "mem_mb"),
        runtime=resource("completions", "runtime"),
        batch=resource("completions", "batch"),
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
    conda:
        ENVIRONMENT
    threads: resource("gpt_eval", "threads")
    resources:
        mem_mb=resource("gpt_eval", "mem_mb"),
        runtime=resource("gpt_eval", "runtime"),
        judge=1,
    params:
        judge=judge_identity,
        replies=lambda wildcards: f"results/judges/{judge_name(wildcards)}.jsonl",
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/gpt_eval.py"


rule gpt_eval_cost:
    input:
        lambda wildcards: [
            f"results/{wildcards.lineage}/{lm}/completions.json"
            for lm in judged(wildcards.lineage)
        ],
    output:
        "results/{lineage}/gpt_eval_cost.json",
    log:
        "logs/{lineage}/gpt_eval_cost.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        judge=lambda wildcards: RESOLVED["judges"][judge_name(wildcards)],
        lms=lambda wildcards: judged(wildcards.lineage),
        seed=part("seed"),
    script:
        "../scripts/gpt_eval_cost.py"
