"""What people read: findings, tables, samples side by side, and all of it on one page. `group` is a lineage or a comparison."""


rule findings:
    input:
        lambda wildcards: [
            path
            for name in GROUPS[wildcards.group]
            for path in [
                f"results/{name}/baseline/ppl.json",
                *ppl_files(name),
                *text_files(name),
                *gpt_eval_files(name),
                *classification_files(name),
            ]
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


rule report_page:
    input:
        template=f"{workflow.basedir}/workflow/report/page.html",
        style=f"{workflow.basedir}/workflow/report/page.css",
        figures=report_figures,
        captions=report_captions,
        findings=lambda wildcards: [
            f"results/{group}/findings.json" for group in report_groups(wildcards)
        ],
        measured=report_measurements,
        checkpoints=lambda wildcards: [
            f"results/{name}/{lm}/checkpoint"
            for name in report_lineages(wildcards)
            for lm in ["baseline", *lms(name)]
        ],
        samples=lambda wildcards: [
            f"results/{name}/samples.json" for name in report_lineages(wildcards)
        ],
    output:
        report(
            "results/{group}/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"report": "everything on one page", "of": "{group}"},
        ),
    log:
        "logs/{group}/report_page.log",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        title=lambda wildcards: wildcards.group,
        lineages=report_settings,
    script:
        "../scripts/report_page.py"


use rule report_page as report_of_all with:
    output:
        report(
            "results/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"report": "everything on one page", "of": "all comparisons"},
        ),
    log:
        "logs/report_of_all.log",
    params:
        title=lambda wildcards: " and ".join(report_groups(wildcards)),
        lineages=report_settings,
