"""Rule lineage_samples: stories of all generations, one below the other to read, and as JSON."""

from ouroboros.data.corpus import row_groups
from ouroboros.data.tokenizer import read_tokenizer
from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.report.samples import excerpts, lineage_page
from ouroboros.storage.atomic import write_json, write_text


def main(snakemake):
    params = snakemake.params
    tokenizer, _ = read_tokenizer(snakemake.input.tokenizer)
    lineage = snakemake.wildcards.lineage
    generations = []
    for n, path in zip(params.generations, snakemake.input.corpora, strict=True):
        tokens = next(row_groups([path])).tokens
        texts = excerpts(tokens, tokenizer, params.samples, params.sample_tokens)
        generations.append({"generation": n, "texts": texts})
    record = provenance(lineage=lineage, seed=params.seed, sample_tokens=params.sample_tokens)
    write_json(snakemake.output.json, {"generations": generations, "provenance": record})
    rows = [(str(entry["generation"]), entry["texts"][:2]) for entry in generations]
    write_text(snakemake.output.markdown, lineage_page(f"Samples of {lineage}", rows))


if "snakemake" in globals():
    run(main, snakemake)
