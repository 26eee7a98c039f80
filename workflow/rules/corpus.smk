"""Initial corpora: from their source to gen0. What two lineages have in common is made once."""


rule initial_corpus:
    input:
        unpack(by(lambda wildcards: local_files.inputs(source_files(wildcards.corpus)))),
    output:
        train="results/corpora/{corpus}/train.parquet",
        heldout="results/corpora/{corpus}/heldout.parquet",
        validation="results/corpora/{corpus}/validation.parquet",
        source=paths.SOURCE,
    log:
        "logs/corpora/{corpus}/initial_corpus.log",
    conda:
        ENVIRONMENT
    threads: threads("initial_corpus")
    resources:
        **resources("initial_corpus"),
    params:
        settings=by(
            lambda wildcards: {
                **RESOLVED["corpora"][wildcards.corpus],
                **local_files.other_inputs(source_files(wildcards.corpus)),
            }
        ),
    script:
        "../scripts/initial_corpus.py"


rule tokenizer:
    input:
        unpack(by(lambda wildcards: local_files.inputs(tokenizer_files(wildcards.tokenizer)))),
        train="results/corpora/{corpus}/train.parquet",
    output:
        directory(paths.TOKENIZER),
    log:
        "logs/corpora/{corpus}/{tokenizer}/tokenizer.log",
    conda:
        ENVIRONMENT
    threads: threads("tokenizer")
    resources:
        **resources("tokenizer"),
    params:
        settings=by(
            lambda wildcards: {
                **RESOLVED["tokenizers"][wildcards.tokenizer],
                **local_files.other_inputs(tokenizer_files(wildcards.tokenizer)),
            }
        ),
    script:
        "../scripts/tokenizer.py"


rule tokenise:
    input:
        tokenizer=paths.TOKENIZER,
        train="results/corpora/{corpus}/train.parquet",
        heldout="results/corpora/{corpus}/heldout.parquet",
        validation="results/corpora/{corpus}/validation.parquet",
    output:
        train="results/corpora/{corpus}/{tokenizer}/train.parquet",
        heldout="results/corpora/{corpus}/{tokenizer}/heldout.parquet",
        validation="results/corpora/{corpus}/{tokenizer}/validation.parquet",
        tokens=paths.TOKEN_COUNTS,
    log:
        "logs/corpora/{corpus}/{tokenizer}/tokenise.log",
    conda:
        ENVIRONMENT
    threads: threads("tokenise")
    resources:
        **resources("tokenise"),
    script:
        "../scripts/tokenise.py"


rule sequences:
    input:
        tokenizer=paths.TOKENIZER,
        train="results/corpora/{corpus}/{tokenizer}/train.parquet",
    output:
        paths.SEQUENCES,
    log:
        "logs/corpora/{corpus}/{tokenizer}/sequences-{length}.log",
    conda:
        ENVIRONMENT
    threads: threads("gen0")
    resources:
        **resources("gen0"),
    script:
        "../scripts/sequences.py"


rule initial:
    input:
        paths.SEQUENCES,
    output:
        paths.INITIAL,
    log:
        "logs/corpora/{corpus}/{tokenizer}/initial-{length}-{sequences}.log",
    conda:
        ENVIRONMENT
    threads: threads("gen0")
    resources:
        **resources("gen0"),
    script:
        "../scripts/initial.py"


# A link: at the paper's size a copy for each of many lineages would be half a gigabyte each.
rule gen0:
    input:
        lambda wildcards: EXPERIMENT.initial_corpus(wildcards.lineage),
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
        paths.LEXICON,
    log:
        "logs/lexicon/{cut}.log",
    conda:
        ENVIRONMENT
    threads: threads("lexicon")
    resources:
        **resources("lexicon"),
    script:
        "../scripts/lexicon.py"


rule clean_lexicon:
    output:
        paths.CLEAN_LEXICON,
    log:
        "logs/lexicon/clean.log",
    conda:
        ENVIRONMENT
    threads: threads("lexicon")
    resources:
        **resources("lexicon"),
    script:
        "../scripts/clean_lexicon.py"


rule task:
    input:
        unpack(by(lambda wildcards: local_files.inputs(task_files(wildcards.task)))),
    output:
        train="results/tasks/{task}/train.parquet",
        validation="results/tasks/{task}/validation.parquet",
    log:
        "logs/tasks/{task}.log",
    conda:
        ENVIRONMENT
    threads: threads("task")
    resources:
        **resources("task"),
    params:
        task=by(
            lambda wildcards: {
                **RESOLVED["tasks"][wildcards.task],
                **local_files.other_inputs(task_files(wildcards.task)),
            }
        ),
    script:
        "../scripts/task.py"
