"""Rule gpt_eval_table: cases of GPT-Eval, like the paper's Extended Data Table 2."""

from ouroboros.jobs.script import run
from ouroboros.report.samples import cases_page
from ouroboros.storage.atomic import read_json, write_text


def main(snakemake):
    cases = []
    for path, graded in zip(snakemake.input.completions, snakemake.input.gpt_eval, strict=True):
        stories, scores = read_json(path)["stories"], read_json(graded)
        cases.append(
            (scores["provenance"]["lm"].removeprefix("gen"), stories[0], scores["grades"][0])
        )
    write_text(snakemake.output[0], cases_page(snakemake.wildcards.lineage, cases))


if "snakemake" in globals():
    run(main, snakemake)
