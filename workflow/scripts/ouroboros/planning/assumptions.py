"""Inputs of the cost model, with every assumption listed."""

import math

from ouroboros.planning.data_sizes import (
    corpus_size,
    count_examples,
    share_beyond,
    task_size,
    vocabulary_size,
)
from ouroboros.planning.job_costs import JobCosts

BUSY = 0.1  # share of the CPUs that other work may take while rates are measured


def cost_model(
    facts: dict, calibrations: dict, machine_speed: dict, on_cluster=False, most_bytes=math.inf
) -> tuple[JobCosts, list[str]]:
    """The cost model of a plan, and notes for its reader; `facts`, `calibrations`: see `cost_inputs`.

    `machine_speed`: the figures of `measure_machine_speed`. `most_bytes`: of a task's files that are read
    to count their examples.
    """
    tasks = facts["tasks"].items()
    examples = {name: count_examples(task["files"], most_bytes) for name, task in tasks}
    inputs, notes = cost_inputs(facts, calibrations, examples)
    return JobCosts(machine_speed, **inputs, on_cluster=on_cluster), notes


def cost_inputs(facts: dict, calibrations: dict, examples: dict) -> tuple[dict, list[str]]:
    """The arguments of `JobCosts` but the machine's speed, and notes for the reader of the plan.

    `facts`: as `plan_facts` of the workflow collects them. `calibrations`: lineage -> the figures of
    `measure_model_speed`. `examples`: task -> split -> lines of its files.

    The arguments: `lineages`, the resolved settings, each with `vocabulary`, `epochs` (found or
    assumed), `beyond_context` (share of tokens) and `rates` (by rule). `corpora`: corpus -> split ->
    stories and tokens. `tasks`: task -> its settings and TaskSize. `judges`: resolved settings.
    """
    given, notes = facts["plan"], []
    corpora, tasks, lineages = {}, {}, {}
    for name, corpus in facts["corpora"].items():
        # A corpus that a lineage overrides is called corpus.lineage.
        sizes = given["corpora"].get(name.split(".")[0], {})
        corpora[name], more = corpus_size(
            name, corpus["settings"], sizes, corpus["counts"], corpus["bytes"], corpus["tokenizer"]
        )
        notes += more
    for name, task in facts["tasks"].items():
        size, more = task_size(name, task["settings"], given["tasks"].get(name, {}), examples[name])
        tasks[name] = (task["settings"], size)
        notes += more
    for name, lineage in facts["lineages"].items():
        epochs, more = _epochs(name, lineage["training"], given["epochs"], facts["epochs"][name])
        notes += more
        rates, more = _rates(
            name, lineage, calibrations.get(name, {}), given["rates"].get(lineage["model_name"], {})
        )
        notes += more
        # The grammar's stories are of about one length.
        grammar = facts["corpora"][lineage["corpus"]]["settings"]["source"] == "grammar"
        validation = corpora[lineage["corpus"]]["validation"]
        story = validation["tokens"] / validation["stories"]
        lineages[name] = {
            **lineage,
            "epochs": epochs,
            "rates": rates,
            "vocabulary": vocabulary_size(facts["tokenizers"][lineage["tokenizer"]]),
            "beyond_context": (
                0.0 if grammar else share_beyond(lineage["evaluation"]["context"], story)
            ),
        }
    inputs = {"lineages": lineages, "corpora": corpora, "tasks": tasks, "judges": facts["judges"]}
    return inputs, sorted(set(notes))


def _epochs(name, training, assumed, found):
    if training["epochs"] != "auto":
        return training["epochs"], []
    if found:
        return found["epochs"], []
    epochs = min(assumed, training["max_epochs"])
    return epochs, [f"assumed: lineage {name}: {epochs} epochs, until generation 1 has found them"]


def _rates(name, lineage, measured, given):
    """A lineage's rates by rule, those in the configuration before measured ones, and notes on them."""
    rules = ("train", "sample", "ppl")
    rates = {rule: {"start": 0.0, **measured.get(rule, {})} for rule in (*rules, "fine_tuning")}
    for rule in set(rules) & set(given):
        rates[rule] |= {"tokens_per_second": given[rule], "device": "given in the configuration"}
    if "fine_tuning" in given:
        each = lineage["evaluation"]["classification"]["batch"] / given["fine_tuning"]
        rates["fine_tuning"] |= {"seconds_per_update": each, "seconds_per_token": 0.0}
    speeds = ", ".join(
        f"{rule} {rates[rule]['tokens_per_second']:,.0f} tokens/s ({rates[rule]['device']})"
        for rule in rules
    )
    notes = [f"rates of model {lineage['model_name']}: {speeds}"]
    if measured.get("busy", 0.0) > BUSY:
        notes.append(
            f"WARNING: other work took {measured['busy']:.0%} of this machine's CPUs while the rates of model "
            f"{lineage['model_name']} were measured, so a run by itself is quicker than planned. To measure "
            "again, remove results/calibration and the plan.json of this group."
        )
    gpus = {rule: lineage["resources"][rule]["gpu"] for rule in rules}
    if gpus["train"] > 1 and rates["train"]["device"] != "cpu":
        rates["train"]["tokens_per_second"] *= gpus["train"]
        notes.append(
            f"assumed: training of {name}: {gpus['train']} times the rate of one GPU, the best possible"
        )
    if any(gpus.values()) and any(rates[rule]["device"] == "cpu" for rule in rules):
        notes.append(
            f"WARNING: the jobs of {name} ask for a GPU and this machine has none, so the rates are a "
            "CPU's. Plan where the GPU is, or give `plan.rates` in the configuration."
        )
    return rates, notes
