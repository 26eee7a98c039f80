"""A lineage that is fitted to a time: its configuration with other settings, and the seconds of its run then."""

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path

from ouroboros.config.layers import overlay
from ouroboros.config.resolve import resolve
from ouroboros.pipeline import paths, plans
from ouroboros.pipeline.declarations import read_schema
from ouroboros.pipeline.experiment import Experiment
from ouroboros.planning import fit
from ouroboros.planning.arithmetic import assumed_rates
from ouroboros.planning.assumptions import cost_inputs
from ouroboros.planning.data_sizes import count_examples, vocabulary_size
from ouroboros.planning.job_costs import JobCosts
from ouroboros.planning.plan import timed
from ouroboros.planning.real_text import has_real_text
from ouroboros.planning.schedule import makespan
from ouroboros.storage.atomic import read_json


class FittedLineage:
    """The lineage `name` of a configuration, asked for the seconds of its run with other settings.

    `facts`: of `plan_facts`. `machine`: the figures of `measure_machine_speed`. `root`: the folder of the
    Snakefile. `cores`, `gpus`: of the run. `list_jobs`: configuration -> its jobs (see dry_run.py).
    `calibrate`: measures a model's speed, from its calibration's settings and the path to write.
    """

    def __init__(
        self, name: str, config: dict, facts: dict, machine: dict, root: Path, cores: int, gpus: int,
        list_jobs: Callable, calibrate: Callable,
    ):  # fmt: skip
        self.name, self.facts, self.machine, self.root = name, facts, machine, root
        self.cores, self.gpus, self.calibrate = cores, gpus, calibrate
        self.config = {**copy.deepcopy(config), "plan": {}}
        self.schema = read_schema(self.root)
        self.settings = self.facts["lineages"][self.name]
        self.tokenizer = self.facts["tokenizers"][self.settings["tokenizer"]]
        self.known = {}  # what _measured has found
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
        own_number = self.settings["generations"]
        self.longest = fit.largest(
            own_number, max(own_number, fit.GENERATIONS), lambda n: has_real_text(facts, name, n)
        )
        longest = dataclasses.replace(self.configured, generations=self.longest)
        self.jobs = list_jobs(self.changed(longest))

    def changed(self, choice: fit.Choice) -> dict:
        """The configuration with a choice's settings."""
        config, entry = copy.deepcopy(self.config), self.config["lineages"][self.name]
        sequences = "auto" if choice.sequences == self.initial else choice.sequences
        changes = {}
        if sequences != self.settings["sampling"]["sequences"]:
            changes["sampling"] = {"sequences": sequences}
        if choice.batch != self.settings["training"]["batch"]:
            changes["training"] = {"batch": choice.batch}
        entry = overlay(copy.deepcopy(entry), {"overrides": changes} if changes else {})
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
            self.calibrate(plans.calibration_settings(experiment, self.name), path)
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
        return assumed_rates(settings, vocabulary_size(self.tokenizer), self.cores, any_gpu=False)

    def _inputs(self, settings, rates):
        facts = {**self.facts, "lineages": {self.name: settings}}
        return cost_inputs(facts, {self.name: rates}, self.examples)

    def _costs(self, settings, rates):
        inputs, notes = self._inputs(settings, rates)
        return JobCosts(self.machine, **inputs), notes

    def _seconds(self, settings, rates):
        costs, self.notes = self._costs(settings, rates)
        listed = fit.up_to(self.jobs, settings["generations"])
        return makespan(timed(listed, costs), self.gpus, self.cores)
