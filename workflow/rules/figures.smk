"""The paper's figures, drawn from the artifacts alone. `group` is a lineage or a comparison."""


rule figure_perplexity:
    input:
        ppl=lambda wildcards: [path for name in GROUPS[wildcards.group] for path in ppl_files(name)],
        tokens=lambda wildcards: [tokens_file(name) for name in GROUPS[wildcards.group]],
    output:
        report(
            "results/{group}/figures/perplexity.svg",
            caption="../report/perplexity.rst",
            category="Figures",
            subcategory="{group}",
            labels={"figure": "perplexity", "of": "{group}"},
        ),
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
        report(
            "results/{lineage}/figures/entropy.svg",
            caption="../report/entropy.rst",
            category="Figures",
            subcategory="{lineage}",
            labels={"figure": "entropy and OOV words", "of": "{lineage}"},
        ),
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
        report(
            "results/{lineage}/figures/gpt_eval.svg",
            caption="../report/gpt_eval.rst",
            category="Figures",
            subcategory="{lineage}",
            labels={"figure": "GPT-Eval", "of": "{lineage}"},
        ),
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
        report(
            "results/{lineage}/figures/{metric}.svg",
            caption="../report/{metric}.rst",
            category="Figures",
            subcategory="{lineage}",
            labels={"figure": "classification, {metric}", "of": "{lineage}"},
        ),
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
        report(
            "results/{lineage}/figures/losses.svg",
            caption="../report/losses.rst",
            category="Figures",
            subcategory="{lineage}",
            labels={"figure": "losses of tokens", "of": "{lineage}"},
        ),
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
        report(
            "results/{lineage}/figures/schematic.svg",
            caption="../report/schematic.rst",
            category="Figures",
            subcategory="{lineage}",
            labels={"figure": "schematic", "of": "{lineage}"},
        ),
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
