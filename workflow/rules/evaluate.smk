"""One rule per measurement. `lm` is a generation (gen7) or the baseline."""


rule ppl:
    input:
        checkpoint="results/{lineage}/{lm}/checkpoint",
        validation=of_corpus("validation.parquet"),
    output:
        "results/{lineage}/{lm}/ppl.json",
    log:
        "logs/{lineage}/{lm}/ppl.log",
    benchmark:
        "logs/{lineage}/{lm}/ppl.tsv"
    conda:
        ENVIRONMENT
    threads: resource("ppl", "threads")
    resources:
        gpu=resource("ppl", "gpu"),
        mem_mb=resource("ppl", "mem_mb"),
        runtime=resource("ppl", "runtime"),
        batch=resource("ppl", "batch"),
    params:
        context=setting("evaluation", "context"),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/ppl.py"


rule text:
    input:
        corpus=own_corpus,
        initial=lambda wildcards: shards(wildcards.lineage, "gen0"),
        tokenizer=of_corpus("tokenizer"),
        lexicon=lambda wildcards: lexicon(wildcards.lineage),
    output:
        "results/{lineage}/{lm}/text.json",
    log:
        "logs/{lineage}/{lm}/text.log",
    wildcard_constraints:
        lm=r"baseline|gen(0|[1-9]\d*)",
    conda:
        ENVIRONMENT
    threads: resource("text", "threads")
    resources:
        mem_mb=resource("text", "mem_mb"),
        runtime=resource("text", "runtime"),
    params:
        lexicon_cut=setting("evaluation", "lexicon_cut"),
        distinct_sequences=setting("evaluation", "distinct_sequences"),
        bigram_sequences=setting("evaluation", "bigram_sequences"),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/text.py"


rule samples:
    input:
        corpus=lambda wildcards: own_corpus(wildcards)[:1],
        tokenizer=of_corpus("tokenizer"),
    output:
        "results/{lineage}/{lm}/samples.md",
    log:
        "logs/{lineage}/{lm}/samples.log",
    wildcard_constraints:
        lm=r"baseline|gen(0|[1-9]\d*)",
    conda:
        ENVIRONMENT
    threads: resource("report", "threads")
    resources:
        mem_mb=resource("report", "mem_mb"),
        runtime=resource("report", "runtime"),
    params:
        samples=setting("evaluation", "samples"),
        sample_tokens=setting("evaluation", "sample_tokens"),
    script:
        "../scripts/samples.py"
