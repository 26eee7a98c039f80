"""The recursion: train a generation on the corpus before it, sample the corpus after it."""


rule baseline:
    input:
        unpack(by(lambda wildcards: initial_model_files(wildcards.lineage))),
        tokenizer=of_corpus(paths.TOKENIZER),
    output:
        checkpoint=directory("results/{lineage}/baseline/checkpoint"),
    log:
        "logs/{lineage}/baseline/baseline.log",
    conda:
        ENVIRONMENT
    threads: threads("baseline")
    resources:
        **resources("baseline"),
    params:
        model=lambda wildcards: EXPERIMENT.baseline_model(wildcards.lineage),
        seed=part("seed"),
    script:
        "../scripts/baseline.py"


# It reads footers alone, and is too short to wait for in a queue.
rule recipe:
    input:
        by(
            lambda wildcards: EXPERIMENT.training_inputs(wildcards.lineage, generation(wildcards))[
                "corpus"
            ]
        ),
    output:
        paths.RECIPE,
    log:
        "logs/{lineage}/{lm}/recipe.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: threads("gen0")
    resources:
        **resources("gen0"),
    params:
        settings=lambda wildcards: EXPERIMENT.recipe_settings(
            wildcards.lineage, generation(wildcards)
        ),
    script:
        "../scripts/recipe.py"


rule train:
    input:
        unpack(lambda wildcards: EXPERIMENT.training_inputs(wildcards.lineage, int(wildcards.n))),
        epochs=paths.EPOCHS,
        tokenizer=of_corpus(paths.TOKENIZER),
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
    threads: threads("train")
    resources:
        **resources("train"),
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
        unpack(lambda wildcards: EXPERIMENT.training_inputs(wildcards.lineage, 1)),
        heldout=of_corpus(paths.TOKENS, split="heldout"),
        tokenizer=of_corpus(paths.TOKENIZER),
    output:
        checkpoint=directory("results/{lineage}/gen1/checkpoint"),
        epochs=paths.EPOCHS,
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
        lambda wildcards: EXPERIMENT.counted(wildcards.lineage),
        checkpoint=paths.CHECKPOINT,
    output:
        paths.SHARD,
    log:
        "logs/{lineage}/{lm}/sample-{shard}.log",
    benchmark:
        "logs/{lineage}/{lm}/sample-{shard}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("sample")
    resources:
        **resources("sample"),
    params:
        indices=by(
            lambda wildcards: EXPERIMENT.shard_indices(wildcards.lineage, int(wildcards.shard))
        ),
        sequence_length=setting("sampling", "sequence_length"),
        temperature=lambda wildcards: EXPERIMENT.decoding(wildcards.lineage),
        seed=part("seed"),
        generation=generation,
    script:
        "../scripts/sample.py"
