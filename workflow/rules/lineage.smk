"""The recursion: train a generation on the corpus before it, sample the corpus after it."""


rule baseline:
    input:
        tokenizer=of_corpus("tokenizer"),
    output:
        checkpoint=directory("results/{lineage}/baseline/checkpoint"),
    log:
        "logs/{lineage}/baseline/baseline.log",
    conda:
        ENVIRONMENT
    threads: resource("baseline", "threads")
    resources:
        mem_mb=resource("baseline", "mem_mb"),
        runtime=resource("baseline", "runtime"),
    params:
        model=part("model"),
        seed=part("seed"),
    script:
        "../scripts/baseline.py"


rule train:
    input:
        corpus=previous_corpus,
        epochs="results/{lineage}/epochs.json",
        tokenizer=of_corpus("tokenizer"),
    output:
        checkpoint=directory("results/{lineage}/gen{n}/checkpoint"),
    log:
        "logs/{lineage}/gen{n}/train.log",
    benchmark:
        "logs/{lineage}/gen{n}/train.tsv"
    wildcard_constraints:
        n=r"[2-9]|[1-9]\d+",
    conda:
        ENVIRONMENT
    threads: resource("train", "threads")
    resources:
        gpu=resource("train", "gpu"),
        mem_mb=resource("train", "mem_mb"),
        runtime=resource("train", "runtime"),
        batch=resource("train", "batch"),
    params:
        model=part("model"),
        training=part("training"),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/train.py"


# Generation 1 trains on the initial corpus and finds the number of epochs for all of them.
use rule train as train_first with:
    input:
        corpus=lambda wildcards: shards(wildcards.lineage, "gen0"),
        heldout=of_corpus("heldout.parquet"),
        tokenizer=of_corpus("tokenizer"),
    output:
        checkpoint=directory("results/{lineage}/gen1/checkpoint"),
        epochs="results/{lineage}/epochs.json",
    log:
        "logs/{lineage}/gen1/train.log",
    benchmark:
        "logs/{lineage}/gen1/train.tsv"
    params:
        model=part("model"),
        training=part("training"),
        seed=part("seed"),
        generation=1,


rule sample:
    input:
        checkpoint="results/{lineage}/{lm}/checkpoint",
    output:
        "results/{lineage}/{lm}/corpus/shard-{shard}.parquet",
    log:
        "logs/{lineage}/{lm}/sample-{shard}.log",
    benchmark:
        "logs/{lineage}/{lm}/sample-{shard}.tsv"
    conda:
        ENVIRONMENT
    threads: resource("sample", "threads")
    resources:
        gpu=resource("sample", "gpu"),
        mem_mb=resource("sample", "mem_mb"),
        runtime=resource("sample", "runtime"),
        batch=resource("sample", "batch"),
    params:
        indices=shard_indices,
        sequence_length=setting("sampling", "sequence_length"),
        temperature=setting("sampling", "temperature"),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/sample.py"
