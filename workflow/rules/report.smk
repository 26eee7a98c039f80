"""What people read: findings, tables, samples side by side. `group` is a lineage or a comparison."""


rule findings:
    input:
        lambda wildcards: [
            path for name in GROUPS[wildcards.group] for path in measurement_files(name)
        ],
    output:
        json="results/{group}/findings.json",
        markdown=report(
            "results/{group}/findings.md",
            caption="../report/findings.rst",
            category="Findings",
            subcategory="{group}",
            labels={"findings": "verdicts", "of": "{group}"},
        ),
    log:
        "logs/{group}/findings.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        models=lambda wildcards: {name: LINEAGES[name]["model"] for name in GROUPS[wildcards.group]},
    script:
        "../scripts/findings.py"


rule table:
    input:
        ppl=lambda wildcards: [
            f"results/{wildcards.lineage}/baseline/ppl.json",
            *ppl_files(wildcards.lineage),
        ],
        text=lambda wildcards: text_files(wildcards.lineage),
    output:
        report(
            "results/{lineage}/table.md",
            caption="../report/table.rst",
            category="Tables",
            subcategory="{lineage}",
            labels={"table": "perplexity, entropy, OOV words", "of": "{lineage}"},
        ),
    log:
        "logs/{lineage}/table.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        lms=lambda wildcards: ["baseline", *lms(wildcards.lineage, first=0)],
    script:
        "../scripts/table.py"


rule lineage_samples:
    input:
        corpora=lambda wildcards: [
            shards(wildcards.lineage, lm)[0] for lm in lms(wildcards.lineage, first=0)
        ],
        tokenizer=of_corpus("tokenizer"),
    output:
        markdown=report(
            "results/{lineage}/samples.md",
            caption="../report/samples.rst",
            category="Samples",
            subcategory="{lineage}",
            labels={"samples": "all generations", "of": "{lineage}"},
        ),
        json="results/{lineage}/samples.json",
    log:
        "logs/{lineage}/lineage_samples.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        generations=lambda wildcards: list(range(LINEAGES[wildcards.lineage]["generations"] + 1)),
        samples=setting("evaluation", "samples"),
        seed=part("seed"),
        sample_tokens=setting("evaluation", "sample_tokens"),
    script:
        "../scripts/lineage_samples.py"


rule gpt_eval_table:
    input:
        completions=lambda wildcards: [
            path.replace("gpt_eval.json", "completions.json")
            for path in gpt_eval_files(wildcards.lineage)
        ],
        gpt_eval=lambda wildcards: gpt_eval_files(wildcards.lineage),
    output:
        report(
            "results/{lineage}/gpt_eval.md",
            caption="../report/gpt_eval_table.rst",
            category="Tables",
            subcategory="{lineage}",
            labels={"table": "cases of GPT-Eval", "of": "{lineage}"},
        ),
    log:
        "logs/{lineage}/gpt_eval_table.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    script:
        "../scripts/gpt_eval_table.py"
