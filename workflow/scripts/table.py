"""Rule table: perplexity, entropy and OOV words of a lineage, generation by generation."""

from adaptor import run
from ouroboros.report.table_markdown import summary
from ouroboros.storage.atomic import read_json, write_text


def main(snakemake):
    by_lm = {}
    for path in (*snakemake.input.ppl, *snakemake.input.text):
        figures = read_json(path)
        by_lm.setdefault(figures["provenance"]["lm"], {}).update(figures)
    rows = []
    for lm in snakemake.params.lms:
        figures = by_lm[lm]
        row = {key: figures.get(key) for key in ("perplexity", "entropy", "oov_words")}
        rows.append({"name": lm.removeprefix("gen"), **row})
    write_text(snakemake.output[0], summary(rows))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
