"""What one job costs: its seconds by what it does and the rates measured, and the bytes it leaves."""

import math
import re

PROMPTS = 44  # the paper's beginnings, and about as many of ours
REPORT = 1.5  # seconds of a figure or a table, once started
LEXICON = 4.0  # seconds of reading spaCy's table
COMPRESSED = 1.4  # bytes of a corpus's token on disk (TinyStories: 1.35; 2 without zstd)
STORY_BYTES = 2.5  # of a token's text in parquet
SMALL = 8_000  # bytes of a measurement
TOKENIZER_BYTES = 70  # per token of the vocabulary
SHARD = re.compile(r"results/([^/]+)/(gen\d+|baseline)/corpus/shard-(\d+)\.parquet$")
TORCH = ["train", "train_first", "sample", "baseline", "ppl", "completions", "classification"]
FIGURES = ["figure_perplexity", "figure_entropy"]
KINDS = {**dict.fromkeys(TORCH, "torch"), **dict.fromkeys(FIGURES, "figures")}  # by imports


class Costs:
    """The costs of the jobs of a plan.

    `machine`: `measure_machine`'s figures, with `start.workflow`, seconds until Snakemake runs a job's
    script. `rates`: lineage -> `calibrate`'s. `lineages`: resolved settings, each with
    `vocabulary`, `epochs` (found, or assumed) and `beyond`, the share of tokens behind the context. `corpora`: corpus -> `corpus_size`'s splits.
    `tasks`: task -> examples to learn from, to validate on, and tokens of one. `judges`: resolved.
    """

    def __init__(self, machine, rates, lineages, corpora, tasks, judges):
        self.machine, self.rates, self.lineages = machine, rates, lineages
        self.corpora, self.tasks, self.judges = corpora, tasks, judges

    def seconds(self, job: dict) -> float:
        """Seconds of a job: `rule`, `wildcards`, `input` as lists of a dry-run; 0 for a target."""
        if not job["output"]:
            return 0.0
        start = self.machine["start"]
        begun = start["workflow"] + start[KINDS.get(job["rule"], "light")]
        work = getattr(self, f"_{job['rule']}", None)
        return begun + (work(job) if work else 0.0)

    def bytes(self, path: str) -> tuple[str, float]:
        """What an output is, and how many bytes it has."""
        shard, parts = SHARD.match(path), path.split("/")
        if shard and shard[2] != "gen0":  # which is a link
            return "corpora of generations", COMPRESSED * self._shard_tokens(shard)
        if path.endswith("/checkpoint"):
            return "checkpoints", self._checkpoint(self.lineages[parts[1]])
        if parts[1] == "corpora" and path.endswith(".parquet"):
            split = parts[-1].removesuffix(".parquet")
            split = "train" if split.startswith("sequences") else split
            tokens = self.corpora[parts[2]][split]["tokens"]
            return "initial corpora", tokens * (STORY_BYTES if len(parts) == 4 else COMPRESSED)
        return "measurements and figures", SMALL

    def train_tokens(self, job: dict) -> int:
        """Tokens of one epoch: of all shards among a job's inputs."""
        return sum(self._shard_tokens(shard) for shard in map(SHARD.match, job["input"]) if shard)

    def _shard_tokens(self, shard):
        name, lm, number = shard[1], shard[2], int(shard[3])
        lineage = self.lineages[name]
        sampling = lineage["sampling"]
        if lm == "gen0":
            train = self.corpora[lineage["corpus"]]["train"]
            length = sampling["sequence_length"]
            return (train["tokens"] + train["stories"]) // length * length
        first, end = (k * sampling["sequences"] // sampling["shards"] for k in (number, number + 1))
        return (end - first) * sampling["sequence_length"]

    def _checkpoint(self, lineage):
        model, vocabulary = lineage["model"], lineage["vocabulary"]
        return 4 * parameters(model, vocabulary) + TOKENIZER_BYTES * vocabulary

    def _of(self, job):
        name = job["wildcards"]["lineage"]
        return self.lineages[name], self.rates[name]

    def _train(self, job):
        lineage, rates = self._of(job)
        tokens = self.train_tokens(job) * lineage["epochs"]
        return rates["train"]["start"] + tokens / _train_rate(lineage, rates)

    def _train_first(self, job):
        """Epochs until early stopping stops, and the held-out stories after each."""
        lineage, rates = self._of(job)
        training, epochs = lineage["training"], lineage["epochs"]
        if training["epochs"] == "auto":
            epochs = min(training["max_epochs"], epochs + training["patience"])
        held_out = self.corpora[lineage["corpus"]]["heldout"]["tokens"]
        each = self.train_tokens(job) / _train_rate(lineage, rates)
        each += held_out / rates["ppl"]["tokens_per_second"]
        return rates["train"]["start"] + epochs * each

    def _sample(self, job):
        _, rates = self._of(job)
        tokens = self._shard_tokens(SHARD.match(job["output"][0]))
        return rates["sample"]["start"] + tokens / rates["sample"]["tokens_per_second"]

    def _ppl(self, job):
        """Tokens beyond the context have a forward pass of a whole context each."""
        lineage, rates = self._of(job)
        tokens = self.corpora[lineage["corpus"]]["validation"]["tokens"]
        tokens *= 1 + lineage["beyond"] * lineage["evaluation"]["context"]
        return rates["ppl"]["start"] + tokens / rates["ppl"]["tokens_per_second"]

    def _text(self, job):
        tokens = sum(
            self._shard_tokens(shard)
            for shard in map(SHARD.match, job["input"])
            if shard and shard[2] == job["wildcards"]["lm"]
        )
        return tokens / self.machine["text_tokens_per_second"]

    def _completions(self, job):
        lineage, rates = self._of(job)
        tokens = (
            PROMPTS * lineage["evaluation"]["completions"] * lineage["evaluation"]["new_tokens"]
        )
        return rates["sample"]["start"] + tokens / rates["sample"]["tokens_per_second"]

    def _gpt_eval(self, job):
        evaluation = self._of(job)[0]["evaluation"]
        requests = PROMPTS * evaluation["completions"]
        return requests * 60 / self.judges[evaluation["judge"]]["requests_per_minute"]

    def _classification(self, job):
        lineage, rates = self._of(job)
        settings, rate = lineage["evaluation"]["classification"], rates["fine_tuning"]
        name = job["wildcards"]["task"]
        task, (train, validation, tokens) = self.tasks[name]
        epochs = task.get("epochs", settings["epochs"])
        tokens = min(tokens, task.get("max_length", settings["max_length"]))
        update = rate["seconds_per_update"] + settings["batch"] * tokens * rate["seconds_per_token"]
        updates = math.ceil(train * epochs / settings["batch"])
        # a forward pass is a third of an update
        batches = math.ceil(validation / settings["eval_batch"])
        forward = rate["seconds_per_update"] * batches
        forward += validation * tokens * rate["seconds_per_token"]
        return rate["start"] + updates * update + forward / 3

    def _initial_corpus(self, job):
        splits = self._splits(job)
        stories = sum(split["stories"] for split in splits.values())
        return stories / self.machine["stories_per_second"]

    def _tokenise(self, job):
        tokens = sum(split["tokens"] for split in self._splits(job).values())
        return tokens / self.machine["tokenise_tokens_per_second"]

    _tokenizer = _tokenise

    def _splits(self, job):
        return self.corpora[job["wildcards"]["corpus"]]

    def _lexicon(self, job):
        return LEXICON

    def _table(self, job):
        return REPORT

    _figure_perplexity = _figure_entropy = _findings = _table


def _train_rate(lineage, rates):
    """Tokens/s of a training job: the rate is one device's, and on a CPU there is but one."""
    rate = rates["train"]
    devices = 1 if rate["device"] == "cpu" else max(1, lineage["resources"]["train"]["gpu"])
    return devices * rate["tokens_per_second"]


def parameters(model: dict, vocabulary: int) -> int:
    """Weights of a GPT-Neo with tied embeddings."""
    width = model["hidden_size"]
    block = 12 * width**2 + 10 * width
    return (vocabulary + model["positions"] + 2) * width + model["layers"] * block
