"""Initial corpora: from their source to gen0. What two lineages have in common is made once."""


rule initial_corpus:
    input:
        files=lambda wildcards: SOURCE_FILES[wildcards.corpus],
    output:
        train="results/corpora/{corpus}/train.parquet",
        heldout="results/corpora/{corpus}/heldout.parquet",
        validation="results/corpora/{corpus}/validation.parquet",
        source="results/corpora/{corpus}/source.json",
    log:
        "logs/corpora/{corpus}/initial_corpus.log",
    conda:
        ENVIRONMENT
    threads: resource("initial_corpus", "threads")
    resources:
        mem_mb=resource("initial_corpus", "mem_mb"),
        runtime=resource("initial_corpus", "runtime"),
    params:
        settings=lambda wildcards: RESOLVED["corpora"][wildcards.corpus],
    script:
        "../scripts/initial_corpus.py"


rule tokenizer:
    input:
        train="results/corpora/{corpus}/train.parquet",
    output:
        directory("results/corpora/{corpus}/{tokenizer}/tokenizer"),
    log:
        "logs/corpora/{corpus}/{tokenizer}/tokenizer.log",
    conda:
        ENVIRONMENT
    threads: resource("tokenizer", "threads")
    resources:
        mem_mb=resource("tokenizer", "mem_mb"),
        runtime=resource("tokenizer", "runtime"),
    params:
        settings=lambda wildcards: RESOLVED["tokenizers"][wildcards.tokenizer],
    script:
        "../scripts/tokenizer.py"


rule tokenise:
    input:
        tokenizer="results/corpora/{corpus}/{tokenizer}/tokenizer",
        train="results/corpora/{corpus}/train.parquet",
        heldout="results/corpora/{corpus}/heldout.parquet",
        validation="results/corpora/{corpus}/validation.parquet",
    output:
        train="results/corpora/{corpus}/{tokenizer}/train.parquet",
        heldout="results/corpora/{corpus}/{tokenizer}/heldout.parquet",
        validation="results/corpora/{corpus}/{tokenizer}/validation.parquet",
        tokens="results/corpora/{corpus}/{tokenizer}/tokens.json",
    log:
        "logs/corpora/{corpus}/{tokenizer}/tokenise.log",
    conda:
        ENVIRONMENT
    threads: resource("tokenise", "threads")
    resources:
        mem_mb=resource("tokenise", "mem_mb"),
        runtime=resource("tokenise", "runtime"),
    script:
        "../scripts/tokenise.py"


rule sequences:
    input:
        tokenizer="results/corpora/{corpus}/{tokenizer}/tokenizer",
        train="results/corpora/{corpus}/{tokenizer}/train.parquet",
    output:
        "results/corpora/{corpus}/{tokenizer}/sequences-{length}.parquet",
    log:
        "logs/corpora/{corpus}/{tokenizer}/sequences-{length}.log",
    conda:
        ENVIRONMENT
    threads: resource("gen0", "threads")
    resources:
        mem_mb=resource("gen0", "mem_mb"),
        runtime=resource("gen0", "runtime"),
    script:
        "../scripts/sequences.py"


# A link: at the paper's size a copy for each of many lineages would be half a gigabyte each.
rule gen0:
    input:
        initial_sequences,
    output:
        "results/{lineage}/gen0/corpus/shard-00000.parquet",
    log:
        "logs/{lineage}/gen0/gen0.log",
    localrule: True
    conda:
        ENVIRONMENT
    script:
        "../scripts/gen0.py"


rule lexicon:
    output:
        "results/lexicon/{cut}.txt",
    log:
        "logs/lexicon/{cut}.log",
    conda:
        ENVIRONMENT
    threads: resource("lexicon", "threads")
    resources:
        mem_mb=resource("lexicon", "mem_mb"),
        runtime=resource("lexicon", "runtime"),
    script:
        "../scripts/lexicon.py"
