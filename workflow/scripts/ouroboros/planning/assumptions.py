"""From what is known of a run to what its costs are reckoned with, and what had to be assumed."""

from ouroboros.planning.data_sizes import BEYOND, corpus_size, task_size

GPT2 = 50_257


def costs_of(facts: dict, calibrations: dict, examples: dict) -> tuple[dict, list[str]]:
    """The arguments of `Costs` (but the machine's), and sentences for the reader of the plan.

    `facts`: what `plan_facts` of the workflow collects. `calibrations`: lineage -> `calibrate`'s figures.
    `examples`: task -> split -> lines of its files.
    """
    given, notes = facts["plan"], []
    corpora, tasks, lineages, rates = {}, {}, {}, {}
    for name, corpus in facts["corpora"].items():
        sizes = given["corpora"].get(name.split(".")[0], {})
        corpora[name], note = corpus_size(
            name, corpus["settings"], sizes, corpus["counts"], corpus["bytes"]
        )
        notes.append(note)
    for name, task in facts["tasks"].items():
        *numbers, note = task_size(
            name, task["settings"], given["tasks"].get(name, {}), examples[name]
        )
        tasks[name] = (task["settings"], numbers)
        notes.append(note)
    for name, lineage in facts["lineages"].items():
        epochs, note = _epochs(name, lineage["training"], given["epochs"], facts["epochs"][name])
        tokenizer = facts["tokenizers"][lineage["tokenizer"]]
        vocabulary = tokenizer.get("vocabulary_size", GPT2)
        source = facts["corpora"][lineage["corpus"]]["settings"]["source"]
        beyond = 0.0 if source == "grammar" else BEYOND  # our grammar's stories are short
        own = {"epochs": epochs, "vocabulary": vocabulary, "beyond": beyond}
        lineages[name] = {**lineage, **own}
        rates[name] = _rates(
            calibrations.get(name, {}), given["rates"].get(lineage["model_name"], {}),
            lineage["evaluation"]["classification"]["batch"],
        )  # fmt: skip
        notes.append(note)
        notes += _devices(name, lineage, rates[name])
    notes = ["assumed: " + note if not note.startswith("!") else note[1:] for note in notes if note]
    arguments = {"rates": rates, "lineages": lineages, "corpora": corpora, "tasks": tasks,
                 "judges": facts["judges"]}  # fmt: skip
    return arguments, sorted(set(notes))


def _epochs(name, training, assumed, found):
    if found:
        return found["epochs"], None
    if training["epochs"] != "auto":
        return training["epochs"], None
    epochs = min(assumed, training["max_epochs"])
    return epochs, f"lineage {name}: {epochs} epochs, until generation 1 has found them"


def _rates(measured, given, batch):
    rates = {rule: {"start": 0.0, **measured.get(rule, {})} for rule in ("train", "sample", "ppl")}
    for rule, rate in rates.items():
        if rule in given:
            rate |= {"tokens_per_second": given[rule], "device": "given in the configuration"}
    rates["fine_tuning"] = {"start": 0.0, **measured.get("fine_tuning", {})}
    if "fine_tuning" in given:
        each = batch / given["fine_tuning"]
        rates["fine_tuning"] |= {"seconds_per_update": each, "seconds_per_token": 0.0}
    return rates


def _devices(name, lineage, rates):
    """The rates, in words, and where they are not those of a GPU that the jobs ask for."""
    speeds = ", ".join(
        f"{rule} {rates[rule]['tokens_per_second']:,.0f} tokens/s ({rates[rule]['device']})"
        for rule in ("train", "sample", "ppl")
    )
    yield f"!rates of model {lineage['model_name']}: {speeds}"
    devices = lineage["resources"]["train"]["gpu"]
    if devices > 1 and rates["train"]["device"] != "cpu":
        yield f"!training of {name}: {devices} times the rate of one GPU, which is the best that can be"
    wanted = any(lineage["resources"][rule]["gpu"] for rule in ("train", "sample", "ppl"))
    if wanted and any(rates[rule]["device"] == "cpu" for rule in ("train", "sample", "ppl")):
        yield (
            f"!WARNING: the jobs of {name} ask for a GPU and this machine has none, so the rates are a "
            "CPU's. Plan where the GPU is, or give `plan.rates` in the configuration."
        )
