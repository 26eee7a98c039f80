"""Rule gpt_eval_cost: the estimated price of a lineage's GPT-Eval, without a request or a key."""

import sys

from ouroboros.jobs.provenance import provenance
from ouroboros.jobs.script import run
from ouroboros.metrics.gpt_eval.judge import Judge, questions
from ouroboros.metrics.gpt_eval.price import estimate
from ouroboros.storage.atomic import read_json, write_json


def main(snakemake):
    params = snakemake.params
    judge = Judge(**params.judge)
    prices = {}
    for path, lm in zip(snakemake.input, params.lms, strict=True):
        stories = read_json(path)["stories"]
        prices[lm] = estimate(judge, [text for story in questions(stories) for text in story])
    total = {key: sum(each[key] for each in prices.values()) for key in next(iter(prices.values()))}
    print(
        f"\n{judge.model} for {snakemake.wildcards.lineage}: {total['requests']} requests, about "
        f"{total['input_tokens']} input and {total['output_tokens']} output tokens, about "
        f"{total['money']:.4f} by the prices in the configuration (budget {judge.budget:g}).\n",
        file=sys.stderr,
    )
    record = provenance(lineage=snakemake.wildcards.lineage, seed=params.seed, judge=params.judge)
    write_json(snakemake.output[0], {**total, "lms": prices, "provenance": record})


if "snakemake" in globals():
    run(main, snakemake)
