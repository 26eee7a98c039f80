"""Rule text: statistics of a generation's corpus."""

from adaptor import run
from ouroboros.data.corpus import blocks
from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.jobs.provenance import provenance
from ouroboros.metrics.text.divergence import drift
from ouroboros.metrics.text.lexicon import read_lexicon
from ouroboros.metrics.text.statistics import text_statistics
from ouroboros.storage.atomic import write_json


def main(snakemake):
    params = snakemake.params
    tokenizer, end_of_text = read_tokenizer(snakemake.input.tokenizer)
    statistics = text_statistics(
        blocks(snakemake.input.corpus), tokenizer, end_of_text,
        read_lexicon(snakemake.input.lexicon), params.distinct_sequences,
    )  # fmt: skip
    statistics |= drift(
        lambda: blocks(snakemake.input.corpus), lambda: blocks(snakemake.input.initial),
        params.bigram_sequences,
    )  # fmt: skip
    block = provenance(
        lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, lexicon_cut=params.lexicon_cut,
        distinct_sequences=params.distinct_sequences, bigram_sequences=params.bigram_sequences,
    )  # fmt: skip
    write_json(snakemake.output[0], {**statistics, "provenance": block})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
