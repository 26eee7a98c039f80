"""What people look at: figures, tables, samples side by side. `group` is a lineage or a comparison."""


rule figure_perplexity:
    input:
        ppl=lambda wildcards: [path for name in GROUPS[wildcards.group] for path in ppl_files(name)],
        tokens=lambda wildcards: [tokens_file(name) for name in GROUPS[wildcards.group]],
    output:
        "results/{group}/figures/perplexity.svg",
        "results/{group}/figures/perplexity.png",
    log:
        "logs/{group}/figure_perplexity.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        lineages=lambda wildcards: GROUPS[wildcards.group],
    script:
        "../scripts/figure_perplexity.py"


rule figure_entropy:
    input:
        text=lambda wildcards: text_files(wildcards.lineage),
    output:
        "results/{lineage}/figures/entropy.svg",
        "results/{lineage}/figures/entropy.png",
    log:
        "logs/{lineage}/figure_entropy.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    script:
        "../scripts/figure_entropy.py"


rule findings:
    input:
        lambda wildcards: [
            path
            for name in GROUPS[wildcards.group]
            for path in [f"results/{name}/baseline/ppl.json", *ppl_files(name), *text_files(name)]
        ],
    output:
        json="results/{group}/findings.json",
        markdown="results/{group}/findings.md",
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
        "results/{lineage}/table.md",
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
        "results/{lineage}/samples.md",
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
        sample_tokens=setting("evaluation", "sample_tokens"),
    script:
        "../scripts/lineage_samples.py"
