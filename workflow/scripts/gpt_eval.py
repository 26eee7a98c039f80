"""Rule gpt_eval: a judge's grades for an LM's completions."""

import logging

from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.metrics.gpt_eval.grades import scores
from ouroboros.metrics.gpt_eval.judge import Judge, grade
from ouroboros.metrics.gpt_eval.price import bill
from ouroboros.metrics.gpt_eval.reply_log import Replies
from ouroboros.storage.atomic import read_json, write_json


def main(snakemake):
    params = snakemake.params
    _warn_on_the_terminal(snakemake.wildcards)
    stories = read_json(snakemake.input[0])["stories"]
    # The rate of requests changes no reply, so it is no parameter of the job.
    judge = Judge(**snakemake.config["judges"][params.judge["name"]])
    with Replies(params.replies) as replies:
        grades, records = grade(judge, stories, replies)
    result = scores(grades)
    record = provenance(
        lineage=snakemake.wildcards.lineage, lm=snakemake.wildcards.lm,
        generation=params.generation, seed=params.seed, judge=params.judge,
    )  # fmt: skip
    result |= {"bill": bill(records), "grades": grades, "provenance": record}
    write_json(snakemake.output[0], result)


def _warn_on_the_terminal(wildcards):
    """Show warnings there too: a judge that is away, or replies of no use, are seen to before all is paid."""
    terminal = logging.StreamHandler()
    terminal.setFormatter(
        logging.Formatter(f"gpt_eval {wildcards.lineage} {wildcards.lm}: %(message)s")
    )
    terminal.addFilter(lambda record: record.levelno == logging.WARNING)
    logging.getLogger("ouroboros").addHandler(terminal)


if "snakemake" in globals():
    run(main, snakemake)
