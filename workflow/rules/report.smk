"""Pages and pictures for people: figures, tables, samples, findings and the report. `group` is a lineage or a comparison."""


rule figure:
    input:
        unpack(by(lambda wildcards: EXPERIMENT.figure_inputs(wildcards.figure, wildcards.group))),
    output:
        report(
            paths.FIGURE,
            caption="../report/figure.rst",
            category="Figures",
            subcategory="{group}",
            labels={"figure": "{figure}", "of": "{group}"},
        ),
        paths.FIGURE_PNG,
    log:
        "logs/{group}/figure_{figure}.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    params:
        settings=by(lambda wildcards: EXPERIMENT.figure_settings(wildcards.figure, wildcards.group)),
        caption=lambda wildcards: EXPERIMENT.figures[wildcards.figure].CAPTION,
    script:
        "../scripts/figure.py"


rule table:
    input:
        measured=lambda wildcards: EXPERIMENT.summarised(wildcards.lineage),
        epochs=paths.EPOCHS,
    output:
        shown(paths.TABLE, "table", table="perplexity, entropy, OOV words"),
    log:
        "logs/{lineage}/table.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    params:
        lms=lambda wildcards: ["baseline", *EXPERIMENT.generations(wildcards.lineage, first=0)],
    script:
        "../scripts/table.py"


rule lineage_samples:
    input:
        corpora=lambda wildcards: [
            EXPERIMENT.shards(wildcards.lineage, lm)[0]
            for lm in EXPERIMENT.generations(wildcards.lineage, first=0)
        ],
        tokenizer=of_corpus(paths.TOKENIZER),
    output:
        markdown=shown(paths.LINEAGE_SAMPLES, "samples", samples="all generations"),
        json=paths.LINEAGE_SAMPLES_JSON,
    log:
        "logs/{lineage}/lineage_samples.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
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
            for path in EXPERIMENT.files(wildcards.lineage, "gpt_eval")
        ],
        gpt_eval=files("gpt_eval"),
    output:
        shown(paths.GPT_EVAL_TABLE, "gpt_eval_table", table="cases of GPT-Eval"),
    log:
        "logs/{lineage}/gpt_eval_table.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    script:
        "../scripts/gpt_eval_table.py"


rule findings:
    input:
        lambda wildcards: [
            path for name in GROUPS[wildcards.group] for path in EXPERIMENT.measurements(name)
        ],
    output:
        json=paths.FINDINGS,
        profile=paths.PROFILE,
        markdown=shown(paths.FINDINGS_TEXT, "findings", findings="verdicts"),
    log:
        "logs/{group}/findings.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    params:
        models=lambda wildcards: {name: LINEAGES[name]["model"] for name in GROUPS[wildcards.group]},
        setups=lambda wildcards: EXPERIMENT.setups(wildcards.group),
        collapse=RESOLVED["collapse"],
    script:
        "../scripts/findings.py"


rule results_table:
    input:
        lambda wildcards: [
            path for name in GROUPS[wildcards.group] for path in EXPERIMENT.measurements(name)
        ],
    output:
        parquet=paths.RESULTS,
        csv=paths.RESULTS_CSV,
    log:
        "logs/{group}/results_table.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    params:
        settings=lambda wildcards: {
            name: {"seed": LINEAGES[name]["seed"], **differing}
            for name, differing in reports.differences(
                {name: EXPERIMENT.deciding_settings(name) for name in GROUPS[wildcards.group]}
            ).items()
        },
    script:
        "../scripts/results_table.py"


rule report_page:
    input:
        template=f"{ROOT}/workflow/report/page.html",
        parts=f"{ROOT}/workflow/report/page_parts.html",
        style=f"{ROOT}/workflow/report/page.css",
        script=f"{ROOT}/workflow/report/page.js",
        figures=lambda wildcards: reports.report_figures(EXPERIMENT, reported(wildcards)),
        findings=lambda wildcards: [
            paths.FINDINGS.format(group=group)
            for group in reports.report_groups(EXPERIMENT, reported(wildcards))
        ],
        profiles=lambda wildcards: [
            paths.PROFILE.format(group=group)
            for group in reports.report_groups(EXPERIMENT, reported(wildcards))
        ],
        measured=lambda wildcards: [
            path
            for name in reports.report_lineages(EXPERIMENT, reported(wildcards))
            for path in EXPERIMENT.measurements(name)
        ],
        checkpoints=lambda wildcards: [
            path
            for name in reports.report_lineages(EXPERIMENT, reported(wildcards))
            for path in EXPERIMENT.checkpoints(name)
        ],
        epochs=lambda wildcards: [
            paths.EPOCHS.format(lineage=name)
            for name in reports.report_lineages(EXPERIMENT, reported(wildcards))
        ],
        samples=lambda wildcards: [
            paths.LINEAGE_SAMPLES_JSON.format(lineage=name)
            for name in reports.report_lineages(EXPERIMENT, reported(wildcards))
        ],
    output:
        shown(paths.REPORT, "page", report="everything on one page"),
    log:
        "logs/{group}/report_page.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("report")
    resources:
        **resources("report"),
    params:
        title=lambda wildcards: wildcards.group,
        lineages=lambda wildcards: reports.report_settings(EXPERIMENT, reported(wildcards)),
    script:
        "../scripts/report_page.py"


use rule report_page as report_of_all with:
    output:
        report(
            paths.REPORT_OF_ALL,
            caption="../report/page.rst",
            category="Report",
            labels={"report": "everything on one page", "of": "all comparisons"},
        ),
    log:
        "logs/report_of_all.log",
    localrule: True
    params:
        title=lambda wildcards: " and ".join(reports.report_groups(EXPERIMENT, reported(wildcards))),
        lineages=lambda wildcards: reports.report_settings(EXPERIMENT, reported(wildcards)),
