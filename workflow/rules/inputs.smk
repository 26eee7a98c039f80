"""Input functions: which files a job reads, by its wildcards."""


def of_corpus(file):
    """An input function: a file that every lineage on the same corpus and tokenizer shares."""

    def path(wildcards):
        lineage = LINEAGES[wildcards.lineage]
        return f"results/corpora/{lineage['corpus']}/{lineage['tokenizer']}/{file}"

    return path


def initial_sequences(wildcards):
    """An input function: the initial corpus as sequences of the lineage's length."""
    length = LINEAGES[wildcards.lineage]["sampling"]["sequence_length"]
    return of_corpus(f"sequences-{length}.parquet")(wildcards)


def shards(lineage, lm):
    """The files of a corpus; the initial corpus is one, a sampled one has as many as configured."""
    count = 1 if lm == "gen0" else LINEAGES[lineage]["sampling"]["shards"]
    return [f"results/{lineage}/{lm}/corpus/shard-{shard:05d}.parquet" for shard in range(count)]


def own_corpus(wildcards):
    """The corpus of the LM in the wildcards."""
    return shards(wildcards.lineage, wildcards.lm)


def previous_corpus(wildcards):
    """The recursion: what generation n trains on, by the lineage's regime."""
    n = int(wildcards.n)
    first = 0 if LINEAGES[wildcards.lineage]["regime"] == "accumulate" else n - 1
    return [path for k in range(first, n) for path in shards(wildcards.lineage, f"gen{k}")]


def shard_indices(wildcards):
    """The index of the first sequence in a shard, and the one behind its last."""
    sampling = LINEAGES[wildcards.lineage]["sampling"]
    shard, count, sequences = int(wildcards.shard), sampling["shards"], sampling["sequences"]
    if shard >= count:
        raise WorkflowError(
            f"{wildcards.lineage} has {count} shards per corpus, numbered from 0; there is no shard "
            f"{shard}. Raise `shards` of its sampling settings for more."
        )
    return [shard * sequences // count, (shard + 1) * sequences // count]


def lexicon(lineage):
    """The list of English words that a lineage's OOV words are told by."""
    return f"results/lexicon/{LINEAGES[lineage]['evaluation']['lexicon_cut']}.txt"


def lms(lineage, first=1):
    """The generations of a lineage, as path names, from `first` on."""
    return [f"gen{n}" for n in range(first, LINEAGES[lineage]["generations"] + 1)]


def ppl_files(lineage):
    """The perplexities of a lineage's generations."""
    return [f"results/{lineage}/{lm}/ppl.json" for lm in lms(lineage)]


def text_files(lineage):
    """The text statistics of a lineage's generations, the initial corpus's first."""
    return [f"results/{lineage}/{lm}/text.json" for lm in lms(lineage, first=0)]


def classification_files(lineage):
    """The classifications of a lineage's baseline and generations, task by task."""
    return [
        f"results/{lineage}/{lm}/classification/{task}.json"
        for task in LINEAGES[lineage]["evaluation"]["classification"]["tasks"]
        for lm in ["baseline", *lms(lineage)]
    ]


def measurement_files(lineage):
    """All measurements of a lineage's baseline and generations."""
    return [
        f"results/{lineage}/baseline/ppl.json",
        *ppl_files(lineage),
        *text_files(lineage),
        *gpt_eval_files(lineage),
        *classification_files(lineage),
    ]


def tokens_file(lineage):
    """How many tokens a lineage's initial corpus has, and its entropy where that is known."""
    return f"results/corpora/{LINEAGES[lineage]['corpus']}/{LINEAGES[lineage]['tokenizer']}/tokens.json"
