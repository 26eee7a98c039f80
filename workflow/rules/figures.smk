"""The paper's figures, drawn from the artifacts alone. `group` is a lineage or a comparison."""


rule figure_perplexity:
    input:
        ppl=lambda wildcards: [path for name in GROUPS[wildcards.group] for path in ppl_files(name)],
        tokens=lambda wildcards: [tokens_file(name) for name in GROUPS[wildcards.group]],
    output:
        in_report("results/{group}/figures/perplexity.svg", "perplexity"),
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
        in_report("results/{lineage}/figures/entropy.svg", "entropy"),
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


rule figure_gpt_eval:
    input:
        lambda wildcards: gpt_eval_files(wildcards.lineage),
    output:
        in_report("results/{lineage}/figures/gpt_eval.svg", "gpt_eval"),
        "results/{lineage}/figures/gpt_eval.png",
    log:
        "logs/{lineage}/figure_gpt_eval.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        judge=judge_identity,
    script:
        "../scripts/figure_gpt_eval.py"


rule figure_classification:
    input:
        lambda wildcards: classification_files(wildcards.lineage),
    output:
        in_report("results/{lineage}/figures/{metric}.svg", "classification"),
        "results/{lineage}/figures/{metric}.png",
    log:
        "logs/{lineage}/figure_{metric}.log",
    wildcard_constraints:
        metric="accuracy|weighted_f1",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    script:
        "../scripts/figure_classification.py"


rule figure_losses:
    input:
        "results/{lineage}/baseline/ppl.json",
        lambda wildcards: ppl_files(wildcards.lineage),
    output:
        in_report("results/{lineage}/figures/losses.svg", "losses"),
        "results/{lineage}/figures/losses.png",
    log:
        "logs/{lineage}/figure_losses.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    script:
        "../scripts/figure_losses.py"


rule figure_schematic:
    output:
        in_report("results/{lineage}/figures/schematic.svg", "schematic"),
        "results/{lineage}/figures/schematic.png",
    log:
        "logs/{lineage}/figure_schematic.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        generations=part("generations"),
        regime=part("regime"),
        tests=tests,
    script:
        "../scripts/figure_schematic.py"
