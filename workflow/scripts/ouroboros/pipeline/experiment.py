"""The experiment: lineages, groups and LMs of a resolved configuration, and the files of each."""

from pathlib import Path

from ouroboros.config.regimes import regimes as regimes_by_name
from ouroboros.errors import UserError
from ouroboros.pipeline import declarations, local_files, paths, regimes

SIZES = ("sequences", "sequence_length", "shards")  # of `sampling`; its other keys are decoding


class Experiment:
    """A resolved configuration (see config/resolve.py), asked by the rules.

    `root`: the folder of the Snakefile. Methods take names of lineages, groups and LMs ("baseline",
    "gen0", "gen1", ...) and return settings or paths.
    """

    def __init__(self, resolved: dict, root: Path):
        self.resolved, self.root = resolved, Path(root)
        self.lineages, self.comparisons = resolved["lineages"], resolved["comparisons"]
        self.groups = {name: [name] for name in self.lineages} | self.comparisons
        self.regimes = regimes_by_name()
        self.metrics = declarations.metrics()
        self.figures = declarations.figures()

    # Which LMs there are.

    def generations(self, lineage: str, first: int = 1) -> list[str]:
        """The generations of a lineage from `first` on: "gen1", "gen2", ..."""
        return [f"gen{n}" for n in range(first, self.lineages[lineage]["generations"] + 1)]

    def judged(self, lineage: str) -> list[str]:
        """The LMs that the judge grades: the baseline, generation 1, and every so many more."""
        return self._every_so_many(lineage, "judged_every")

    def _every_so_many(self, lineage, key):
        every = self.lineages[lineage]["evaluation"][key]
        return ["baseline", *self.generations(lineage)[::every]]

    def setups(self, group: str) -> list[list[str]]:
        """The lineages of a group; those that differ by their seeds alone, together."""
        found = []  # (settings without the seed, lineages by their seeds)
        for name in self.groups[group]:
            lineage, settings = self.lineages[name], self.deciding_settings(name)
            del settings["seed"]
            for other, names in found:
                if other == settings and lineage["seed"] not in names:
                    names[lineage["seed"]] = name
                    break
            else:
                found.append((settings, {lineage["seed"]: name}))
        return [list(names.values()) for _, names in found]

    def deciding_settings(self, lineage: str) -> dict:
        """The settings of a lineage that decide its results: resources change none."""
        settings = self.lineages[lineage]
        return {key: settings[key] for key in settings if key not in ("name", "resources")}

    def tasks(self, lineage: str) -> list[str]:
        """The classification tasks of a lineage."""
        return self.lineages[lineage]["evaluation"]["classification"]["tasks"]

    # Files that lineages share.

    def of_corpus(self, lineage: str, pattern: str, **wildcards) -> str:
        """A file of the lineage's corpus and tokenizer, by its pattern in `paths`."""
        settings = self.lineages[lineage]
        return pattern.format(
            corpus=settings["corpus"], tokenizer=settings["tokenizer"], **wildcards
        )

    def sequences(self, lineage: str) -> str:
        """The corpus as sequences of the lineage's length."""
        length = self.lineages[lineage]["sampling"]["sequence_length"]
        return self.of_corpus(lineage, paths.SEQUENCES, length=length)

    def initial_corpus(self, lineage: str) -> str:
        """The sequences of C_0: all, or as many as the lineage's `initial_sequences`, drawn from them."""
        settings = self.lineages[lineage]
        if "initial_sequences" not in settings:
            return self.sequences(lineage)
        length, count = settings["sampling"]["sequence_length"], settings["initial_sequences"]
        return self.of_corpus(lineage, paths.INITIAL, length=length, sequences=count)

    def with_part_of(self, corpora: set[str]) -> list[str]:
        """The lineages that begin with a part of one of these corpora."""
        return [
            name
            for name, settings in self.lineages.items()
            if settings["corpus"] in corpora and "initial_sequences" in settings
        ]

    def lexicon(self, lineage: str) -> str:
        """The word list that defines the lineage's OOV words."""
        return paths.LEXICON.format(cut=self.lineages[lineage]["evaluation"]["lexicon_cut"])

    # Files of a lineage.

    def shards(self, lineage: str, lm: str) -> list[str]:
        """The files of a corpus; the initial corpus is one, a sampled one has as many as configured."""
        count = 1 if lm == "gen0" else self.lineages[lineage]["sampling"]["shards"]
        return [paths.shard(lineage, lm, number) for number in range(count)]

    def training_corpora(self, lineage: str, n: int) -> dict[int, list[str]]:
        """The recursion: the corpora that generation n trains on, by the lineage's regime; source -> files."""
        return {
            k: [self.sequences(lineage)]
            if k == regimes.RESERVE
            else self.shards(lineage, f"gen{k}")
            for k in regimes.sources(*self._regime(lineage, n))
        }

    def training_inputs(self, lineage: str, n: int) -> dict[str, list[str] | str]:
        """The files that generation n trains on: `corpus`, and the `recipe` where not all of that is used.

        Where all of it is, the training job writes the recipe. `start` is the checkpoint whose weights it
        begins with, where these are not random.
        """
        corpora = self.training_corpora(lineage, n)
        found = {"corpus": [path for shards in corpora.values() for path in shards]}
        if start := self.start(lineage, f"gen{n}"):
            found["start"] = paths.CHECKPOINT.format(lineage=lineage, lm=start)
        if regimes.draws(*self._regime(lineage, n)):
            found["recipe"] = paths.RECIPE.format(lineage=lineage, lm=f"gen{n}")
        return found

    def start(self, lineage: str, lm: str) -> str | None:
        """The LM whose weights this one begins with; None where they are random.

        Of the baseline it is itself where it is the lineage's initial model.
        """
        settings = self.lineages[lineage]
        start = settings.get("start", "scratch")
        if start == "previous" and lm not in ("baseline", "gen1"):
            return f"gen{int(lm.removeprefix('gen')) - 1}"
        begins = "initial_model" in settings and (lm == "baseline" or start != "scratch")
        return "baseline" if begins else None

    def baseline_model(self, lineage: str) -> dict:
        """The settings of the baseline's model, with `initial_model` where it is one that was trained elsewhere."""
        settings = self.lineages[lineage]
        initial = {key: settings[key] for key in ("initial_model",) if key in settings}
        return settings["model"] | initial

    def recipe_settings(self, lineage: str, n: int) -> dict:
        """The settings that a recipe depends on, besides its corpora."""
        settings = self.lineages[lineage]
        _, _, own = self._regime(lineage, n)
        return {
            "regime": settings["regime"], "settings": own, "seed": settings["seed"], "generation": n,
            "initial_sequences": settings.get("initial_sequences"),
        }  # fmt: skip

    def _regime(self, lineage, n):
        settings = self.lineages[lineage]
        return self.regimes[settings["regime"]], n, settings.get("regime_settings", {})

    def metric_inputs(self, metric: str, lineage: str, lm: str) -> dict[str, str | list[str]]:
        """The files that a metric declares as its INPUTS, of one LM."""
        known = {
            "checkpoint": lambda: paths.CHECKPOINT.format(lineage=lineage, lm=lm),
            "corpus": lambda: self.shards(lineage, lm),
            "initial": lambda: self.shards(lineage, "gen0"),
            "validation": lambda: self.of_corpus(lineage, paths.TOKENS, split="validation"),
            "tokenizer": lambda: self.of_corpus(lineage, paths.TOKENIZER),
            "lexicon": lambda: self.lexicon(lineage),
            "clean_lexicon": lambda: paths.CLEAN_LEXICON,
            "grammar": lambda: self.grammar(lineage),
            "known_stories": lambda: self._where_known(
                lineage, self.of_corpus(lineage, paths.SOURCE_TEXT, split="validation")
            ),
            "losses": lambda: self._where_known(lineage, self._table("ppl", lineage, lm)),
            "before": lambda: self._before(metric, lineage, lm),
        }
        return {name: known[name]() for name in self.metrics[metric].INPUTS}

    def grammar(self, lineage: str) -> list[str]:
        """The file of the grammar that the lineage's corpus is drawn from, if it is."""
        corpus = self.lineages[lineage]["corpus"]
        entry = self.resolved["corpora"][corpus]
        files = local_files.source_files(corpus, entry, self.root)
        return files["files"] if entry["source"] == "grammar" else []

    def _where_known(self, lineage, path):
        """The file, where the source knows the probabilities of its stories."""
        return [path] if self.grammar(lineage) else []

    def _table(self, metric, lineage, lm):
        table = self.metrics[metric].TABLE
        return paths.MEASUREMENT_TABLE.format(lineage=lineage, lm=lm, metric=metric, table=table)

    def _before(self, metric, lineage, lm):
        """The table of the generation before, of a metric that goes on from it; generation 1 and the baseline begin."""
        if lm in ("baseline", "gen1"):
            return []
        return [self._table(metric, lineage, f"gen{int(lm.removeprefix('gen')) - 1}")]

    def metric_outputs(self, metric: str) -> list[str]:
        """The patterns of what a metric writes: its measurement, and its TABLE where it declares one.

        The table is asked for by no other metric's job: results made before there was one lack it.
        """
        table = getattr(self.metrics[metric], "TABLE", None)
        tables = [paths.MEASUREMENT_TABLE.replace("{table}", table)] if table else []
        return [paths.MEASUREMENT, *tables]

    def measured(self, lineage: str, metric: str) -> list[str]:
        """The LMs that a metric is computed of, in order."""
        if metric == "gpt_eval":
            graded = self.lineages[lineage]["evaluation"]["judge"] is not None
            return self.judged(lineage) if graded else []
        if metric == "classification":
            return self._every_so_many(lineage, "classified_every")
        if self.metrics[metric].OF == "corpus":
            return self.generations(lineage, first=0)
        return ["baseline", *self.generations(lineage)]

    def files(self, lineage: str, metric: str) -> list[str]:
        """The artifacts of a metric, in the order of LMs; task by task for classification."""
        lms = self.measured(lineage, metric)
        if metric == "classification":
            return [
                paths.CLASSIFICATION.format(lineage=lineage, lm=lm, task=task)
                for task in self.tasks(lineage)
                for lm in lms
            ]
        return [paths.MEASUREMENT.format(lineage=lineage, lm=lm, metric=metric) for lm in lms]

    def measurements(self, lineage: str) -> list[str]:
        """All measurements of a lineage."""
        return [path for metric in self.metrics for path in self.files(lineage, metric)]

    def summarised(self, lineage: str) -> list[str]:
        """The artifacts of the metrics that table.md shows."""
        return [
            path
            for name, metric in self.metrics.items()
            if any(field.in_summary for field in metric.FIELDS)
            for path in self.files(lineage, name)
        ]

    def checkpoints(self, lineage: str) -> list[str]:
        """The checkpoints of the baseline and of all generations."""
        lms = ["baseline", *self.generations(lineage)]
        return [paths.CHECKPOINT.format(lineage=lineage, lm=lm) for lm in lms]

    def figure_inputs(self, figure: str, group: str) -> dict[str, list[str]]:
        """The artifacts that a figure of a group is drawn from. UserError where it has none."""
        found = self.figures[figure].inputs(self, group)
        if found is None:
            raise UserError(f"There is nothing of {group} to draw in a figure {figure!r}.")
        return found

    def figure_settings(self, figure: str, group: str) -> dict:
        """The settings that a figure shows, beside its artifacts."""
        settings = getattr(self.figures[figure], "settings", None)
        return settings(self, group) if settings else {}

    # Settings of jobs.

    def judge_name(self, lineage: str) -> str:
        """The judge of a lineage. Raises UserError where it has none."""
        name = self.lineages[lineage]["evaluation"]["judge"]
        if name is None:
            raise UserError(
                f"The lineage {lineage} has no judge. Name an entry of `judges` under `judge` "
                "of its evaluation settings."
            )
        return name

    def judge_identity(self, lineage: str) -> dict:
        """The settings that decide a judge's replies; its pace and its prices do not."""
        name = self.judge_name(lineage)
        judge = self.resolved["judges"][name]
        keys = ("base_url", "model", "temperature", "max_tokens", "attempts")
        identity = {"name": name, **{key: judge[key] for key in keys}}
        return identity if judge["max_tokens_key"] else identity | {"max_tokens": None}

    def fine_tuning(self, lineage: str, task: str) -> dict:
        """How a task is learnt: the lineage's settings, and the task's own where it has any.

        `seeds` is there from 2 on.
        """
        settings = self.lineages[lineage]["evaluation"]["classification"]
        own = self.resolved["tasks"][task]
        found = {key: own.get(key, settings[key]) for key in settings if key != "tasks"}
        if found["seeds"] == 1:
            del found["seeds"]  # a rule's params stay those of results made before there were seeds
        return found

    def counted(self, lineage: str) -> list[str]:
        """The corpus whose sequences a sampling job counts, to sample as many: none but with `auto`."""
        automatic = self.lineages[lineage]["sampling"]["sequences"] == "auto"
        return self.shards(lineage, "gen0") if automatic else []

    def decoding(self, lineage: str) -> float | dict:
        """The keys of model/decoding.py that `sampling` has; where that is the temperature alone, its number.

        A number is what the params of results made before hold.
        """
        settings = self.lineages[lineage]["sampling"]
        found = {key: value for key, value in settings.items() if key not in SIZES}
        return found if len(found) > 1 else found["temperature"]

    def shard_indices(self, lineage: str, number: int) -> list[int] | dict[str, int]:
        """The indices of a shard's first sequence and of the one after its last.

        Where the number of sequences is `auto`, the job finds them: `shard`, and how many there are
        (`of`); with the `quirks` of the regime published, they and `sequences` are told in any case.
        Raises UserError where the lineage has no shard of this number.
        """
        sampling = self.lineages[lineage]["sampling"]
        count = sampling["shards"]
        if number >= count:
            raise UserError(
                f"{lineage} has {count} shards per corpus, numbered from 0; there is no shard "
                f"{number}. Raise `shards` of its sampling settings for more."
            )
        found = {"shard": number, "of": count}
        if self.lineages[lineage]["training"].get("quirks"):
            return {**found, "sequences": sampling["sequences"], "quirks": True}
        if sampling["sequences"] == "auto":
            return found
        return shard_indices(sampling["sequences"], number, count)


def shard_indices(sequences: int, number: int, count: int) -> list[int]:
    """The first index, and the one after the last, of shard `number` of `count`."""
    return [number * sequences // count, (number + 1) * sequences // count]
