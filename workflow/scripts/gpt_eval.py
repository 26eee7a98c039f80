"""Rule gpt_eval: a judge's grades for an LM's completions."""

import logging

from adaptor import run
from ouroboros.artifacts import read_json, write_json
from ouroboros.costs import bill
from ouroboros.grades import scores
from ouroboros.judge import Judge, grade
from ouroboros.provenance import provenance
from ouroboros.replies import Replies


def main(snakemake):
    params = snakemake.params
    stories = read_json(snakemake.input[0])["stories"]
    # How fast a judge is asked changes nothing in what it says, so that is no parameter of the job.
    judge = Judge(**snakemake.config["judges"][params.judge["name"]])
    with Replies(params.replies) as replies:
        grades, records = grade(judge, stories, replies)
    result = scores(grades)
    if result["unparsed"]:
        logging.getLogger("ouroboros").warning(
            "%d of %d completions have no grades: their replies could not be read.",
            result["unparsed"], result["completions"],
        )  # fmt: skip
    block = provenance(
        lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, judge=params.judge,
    )  # fmt: skip
    result |= {"bill": bill(records), "grades": grades, "provenance": block}
    write_json(snakemake.output[0], result)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
