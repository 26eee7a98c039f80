"""The report: one page for each lineage and comparison, and one of all comparisons."""


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
