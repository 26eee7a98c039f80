"""Rule group_fit: propose settings with which the run of a lineage ends within a given time."""

import copy
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import yaml

from dry_run import jobs
from ouroboros.config.families import declaration
from ouroboros.config.resolve import resolve
from ouroboros.jobs.script import run
from ouroboros.pipeline import paths, plans
from ouroboros.pipeline.declarations import complete
from ouroboros.pipeline.experiment import Experiment
from ouroboros.planning import fit
from ouroboros.planning.arithmetic import OFF, assumed_rates
from ouroboros.planning.assumptions import cost_inputs
from ouroboros.planning.data_sizes import count_examples, vocabulary_size
from ouroboros.planning.job_costs import JobCosts
from ouroboros.planning.plan import duration, timed
from ouroboros.planning.schedule import makespan
from ouroboros.storage.atomic import read_json, write_text
from ouroboros.storage.markdown import table

SECTIONS = ("corpora", "tokenizers", "models", "training", "sampling", "evaluation", "tasks")


class Lineage:
    """The lineage to fit: its configuration with other settings, and what its run takes then."""

    def __init__(self, snakemake):
        self.snakemake, self.root = snakemake, Path(snakemake.scriptdir).resolve().parents[1]
        self.name, self.facts = snakemake.wildcards.group, snakemake.params.facts
        self.config = {**copy.deepcopy(snakemake.config), "plan": {}}
        schema = yaml.safe_load((self.root / "workflow/schemas/config.schema.yaml").read_text())
        self.schema = complete(schema)
        self.settings = self.facts["lineages"][self.name]
        self.tokenizer = self.facts["tokenizers"][self.settings["tokenizer"]]
        self.known = {}  # what _measured has found
        self.machine = read_json(snakemake.input.machine)
        tasks = self.facts["tasks"].items()
        self.examples = {name: count_examples(task["files"]) for name, task in tasks}
        rates = self._assumed(self.settings)
        self.initial = self._costs(self.settings, rates)[0].initial_sequences(self.settings)
        inputs, self.notes = self._inputs(self.settings, rates)
        self.tokens = inputs["corpora"][self.settings["corpus"]]["train"]["tokens"]
        sequences = self.settings["sampling"]["sequences"]
        whole = self.initial if sequences == "auto" else min(sequences, self.initial)
        self.whole = max(1, whole)
        own = self.settings["model_name"]
        self.models = {own: self.settings["model"]} | fit.ladder(
            self.settings["model"], self.tokens
        )
        self.configured = fit.Choice(
            own, self.whole, self.settings["generations"], self.settings["training"]["batch"]
        )
        # no generation is left out of the dry-run that may be chosen
        most = max(self.settings["generations"], fit.GENERATIONS)
        longest = dataclasses.replace(self.configured, generations=most)
        self.jobs = jobs(snakemake, self.name, self.changed(longest))

    def changed(self, choice: fit.Choice) -> dict:
        """The configuration with a choice's settings."""
        config, entry = copy.deepcopy(self.config), self.config["lineages"][self.name]
        sequences = "auto" if choice.sequences == self.initial else choice.sequences
        changes = {}
        if sequences != self.settings["sampling"]["sequences"]:
            changes["sampling"] = {"sequences": sequences}
        if choice.batch != self.settings["training"]["batch"]:
            changes["training"] = {"batch": choice.batch}
        entry = fit.overlay(copy.deepcopy(entry), {"overrides": changes} if changes else {})
        if choice.generations != self.settings["generations"]:
            entry["generations"] = choice.generations
        if choice.model != self.settings["model_name"]:
            entry["model"] = choice.model
            entry.get("overrides", {}).pop("model", None)
            config["models"][choice.model] = self.models[choice.model]
        config["lineages"][self.name] = entry
        return config

    def guess(self, choice: fit.Choice) -> float:
        """Seconds of the run by arithmetic."""
        other = {"model": self.models[choice.model], "model_name": choice.model}
        settings = self._altered(choice) | other
        return self._seconds(settings, self._assumed(settings))

    def planned(self, choice: fit.Choice) -> float:
        """Seconds of the run by the rates of its model, which are measured if they are not known."""
        settings, rates = self._measured(choice.model, choice.batch)
        return self._seconds({**settings, **self._altered(choice, settings)}, rates)

    def _measured(self, model, batch):
        """A lineage's settings with a model, and its rates."""
        if (model, batch) in self.known:
            return self.known[model, batch]
        choice = dataclasses.replace(self.configured, model=model, batch=batch)
        experiment = Experiment(resolve(self.changed(choice), self.schema), self.root)
        key = plans.calibration_key(experiment, self.name)
        path = Path(paths.CALIBRATION.format(calibration=key))
        given = self.facts["plan"]["rates"].get(model, {})
        if len(given) == plans.RATES:
            self.known[model, batch] = experiment.lineages[self.name], {}
            return self.known[model, batch]
        if not path.exists():
            print(f"Measuring the speed of {model} ...", flush=True)
            of = [
                plans.calibration_settings(experiment, self.name),
                self.snakemake.input.grammar,
                str(path),
            ]
            # in a process of its own: what a first run compiles counts
            subprocess.run(
                [sys.executable, Path(self.snakemake.scriptdir, "calibrate.py"), json.dumps(of)],
                check=True,
            )
        self.known[model, batch] = experiment.lineages[self.name], read_json(path)
        return self.known[model, batch]

    def _altered(self, choice, settings=None):
        settings = settings or self.settings
        return {
            **settings,
            "generations": choice.generations,
            "sampling": {**settings["sampling"], "sequences": choice.sequences},
            "training": {**settings["training"], "batch": choice.batch},
        }

    def _assumed(self, settings):
        cores, any_gpu = self.snakemake.threads, False
        return assumed_rates(settings, vocabulary_size(self.tokenizer), cores, any_gpu)

    def _inputs(self, settings, rates):
        facts = {**self.facts, "lineages": {self.name: settings}}
        return cost_inputs(facts, {self.name: rates}, self.examples)

    def _costs(self, settings, rates):
        inputs, notes = self._inputs(settings, rates)
        return JobCosts(self.machine, **inputs), notes

    def _seconds(self, settings, rates):
        costs, self.notes = self._costs(settings, rates)
        listed = fit.up_to(self.jobs, settings["generations"])
        return makespan(timed(listed, costs), self.snakemake.resources.gpu, self.snakemake.threads)


def main(snakemake):
    lineage = Lineage(snakemake)
    seconds = fit.budget_seconds(snakemake.params.facts["plan"]["fit"])
    own = lineage.settings["sampling"]["shards"]
    batch = fit.batch_for(lineage.whole, lineage.configured.batch)
    start = dataclasses.replace(lineage.configured, batch=batch)
    found = fit.fit(seconds, start, list(lineage.models), own, lineage.guess, lineage.planned)
    text = proposal(lineage, found, seconds)
    resolve(overlaid(yaml.safe_load(text), lineage), lineage.schema)  # it can be used
    write_text(snakemake.output.yaml, text)
    write_text(
        snakemake.output.markdown, page(lineage, found, seconds, text, snakemake.output.yaml)
    )


def proposal(lineage, found, seconds) -> str:
    """The configuration file that stands for the user's own, for this lineage."""
    config = lineage.changed(found)
    below = shipped(lineage)
    changed = {
        section: fit.difference(config.get(section, {}), below.get(section, {}))
        for section in (*SECTIONS, "resources", "cluster")
    }
    needed, name = {}, lineage.name
    while name is not None:  # it may be like another one
        needed[name] = config["lineages"][name]
        name = needed[name].get("like")
    changed["lineages"] = {
        name: entry for name, entry in needed.items() if entry != below["lineages"].get(name)
    }
    if judge := lineage.settings["evaluation"]["judge"]:
        changed["judges"] = {judge: config["judges"][judge]}
    models = {lineage.config["lineages"][name].get("model") for name in needed} | {found.model}
    used = {name: model for name, model in changed["models"].items() if name in models}
    changed["models"] = used
    text = yaml.safe_dump(
        {section: entries for section, entries in changed.items() if entries},
        sort_keys=False, allow_unicode=True,
    )  # fmt: skip
    return f"# {lineage.name} in {duration(seconds)}, --cores {lineage.snakemake.threads}\n{text}"


def shipped(lineage):
    """The configuration that the Snakefile lays any other over."""
    return yaml.safe_load((lineage.root / "config.yaml").read_text(encoding="utf-8"))


def overlaid(config, lineage):
    """What Snakemake makes of a configuration file."""
    return fit.overlay(shipped(lineage), config)


def page(lineage, found, seconds, text, path) -> str:
    """The proposal as a page of Markdown."""
    before, models = lineage.configured, lineage.models
    known = lineage.guess(before)
    planned = lineage.planned(found)  # after the guess: the notes are about this one
    parameters = {
        name: declaration(model).non_embedding_parameters(model) for name, model in models.items()
    }

    def described(choice, sequences, wall_clock):
        return [choice.model, f"{parameters[choice.model]:,}", sequences, str(choice.generations),
                str(choice.batch), wall_clock]  # fmt: skip

    def of(sequences):
        return f"auto, {sequences:,}" if sequences == lineage.initial else f"{sequences:,}"

    configured = lineage.settings["sampling"]["sequences"]
    configured = of(lineage.initial) if configured == "auto" else f"{configured:,}"
    rows = zip(
        ["model", "parameters besides the embeddings", "sequences of a generation", "generations",
         "batch", "wall-clock"],
        described(before, configured, f"{duration(known)} by arithmetic (a factor of {OFF})"),
        described(found, of(found.sequences), f"{duration(planned)} as planned"),
        strict=True,
    )  # fmt: skip
    changes = fit.given_up(before, found, lineage.whole, parameters)
    lines = [
        f"# {lineage.name} in {duration(seconds)}",
        "",
        table(("", "as configured", "proposed"), [*rows], "<<<", pad=True),
    ]
    if changes:
        lines += [
            "Against the lineage as configured:",
            "",
            *(f"- {change}" for change in changes),
            "",
        ]
    else:
        lines += ["Nothing has to be given up.", ""]
    if planned < 0.6 * seconds:
        lines += ["There is time to spare: more text, or another model, would use it.", ""]
    lines += ["```yaml", text.rstrip(), "```", "", f"It is in {path}:", "",
              "```", f"snakemake --configfile {path} --cores {lineage.snakemake.threads} {lineage.name}",
              "```", ""]  # fmt: skip
    if Path(paths.EPOCHS.format(lineage=lineage.name)).exists():
        lines.append(
            f"- results/{lineage.name} has results of other settings, which this makes again: give the "
            "lineage another name in the file to keep them"
        )
    lines += [f"- {note}" for note in lineage.notes]
    return "\n".join(lines).rstrip() + "\n"


if "snakemake" in globals():
    run(main, snakemake)
