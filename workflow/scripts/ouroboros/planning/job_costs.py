"""Cost of one job: its seconds, by what its rule does and the speeds measured, and the bytes it leaves."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ouroboros.config.families import declaration
from ouroboros.config.regimes import regimes
from ouroboros.pipeline.experiment import shard_indices
from ouroboros.pipeline.paths import parse
from ouroboros.pipeline.regimes import trained_sequences

PROMPTS = 44  # the paper's beginnings, and about as many of ours
REPORT = 0.5  # seconds to draw a figure or to write a table, once started
SCHEDULING = 0.1  # seconds of Snakemake itself for a job
LEXICON = 4.0  # seconds to read spaCy's table
SUPPORT = 2.0  # as measured: it reads 10,000 sequences at most, and 1,000 sentences
COMPRESSED = 1.4  # bytes on disk of a token of a corpus (TinyStories: 1.35; 2 without zstd)
STORY_BYTES = 2.5  # bytes in parquet of a token's text
SMALL = 8_000  # bytes of a measurement
TOKENIZER_BYTES = 70  # per token of the vocabulary


def weights(model: dict, vocabulary: int) -> tuple[int, int]:
    """The weights that a token is multiplied with: of the layers, and of the output layer."""
    family = declaration(model)
    head = family.parameters(model, vocabulary) - family.parameters(model, 0)
    return family.non_embedding_parameters(model), head


@dataclass
class JobCosts:
    """The cost model of a plan: seconds and bytes of each job.

    `machine_speed`: the figures of `measure_machine_speed`; its `start` also has `workflow`, the
    seconds until Snakemake has read the workflow, as each job of a cluster (`on_cluster`) does. The
    rest as `cost_inputs` returns it.
    """

    machine_speed: dict
    lineages: dict
    corpora: dict
    tasks: dict
    judges: dict
    on_cluster: bool = False

    def seconds(self, job: dict) -> float:
        """Seconds of a job that a dry-run lists (see dry_run.py); 0 for a target."""
        if not job["output"]:
            return 0.0
        (imports, work), start = RULES.get(job["rule"], UNKNOWN), self.machine_speed["start"]
        work = work if isinstance(work, float) else work(self, job)
        # A script imports Snakemake's modules too: about twice what `light` takes.
        snakemake = SCHEDULING + 2 * start["light"] + self.on_cluster * start["workflow"]
        return snakemake + start[imports] + work

    def bytes(self, path: str) -> tuple[str, float]:
        """The kind of an output, in words, and its bytes."""
        kind, of = parse(path) or ("", {})
        if kind == "SHARD" and of["lm"] != "gen0":  # gen0's is a link
            return "corpora of generations", COMPRESSED * self._shard_tokens(of)
        if kind == "INITIAL":
            return "initial corpora", COMPRESSED * int(of["length"]) * int(of["sequences"])
        if kind == "CHECKPOINT":
            lineage = self.lineages[of["lineage"]]
            model, vocabulary = lineage["model"], lineage["vocabulary"]
            weights = 4 * declaration(model).parameters(model, vocabulary)
            return "checkpoints", weights + TOKENIZER_BYTES * vocabulary
        if kind in ("SOURCE_TEXT", "TOKENS", "SEQUENCES"):
            each = STORY_BYTES if kind == "SOURCE_TEXT" else COMPRESSED
            split = self.corpora[of["corpus"]][of.get("split", "train")]
            return "initial corpora", each * split["tokens"]
        if kind == "MEASUREMENT_TABLE" and of["metric"] == "theory":  # a float64 of every token
            lineage = self.lineages[of["lineage"]]
            numbers = lineage["evaluation"]["beginnings"] * lineage["vocabulary"]
            return "measurements and figures", 8 * numbers
        return "measurements and figures", SMALL

    def corpus_tokens(self, paths: list[str], lm: str | None = None) -> int:
        """Tokens of all shards among `paths`, or of one LM's."""
        shards = [found.wildcards for found in map(parse, paths) if found and found.kind == "SHARD"]
        return sum(self._shard_tokens(of) for of in shards if lm in (None, of["lm"]))

    def initial_sequences(self, lineage: dict) -> int:
        """The sequences of a lineage's initial corpus: stories, each with its end, cut at equal lengths."""
        train = self.corpora[lineage["corpus"]]["train"]
        whole = (train["tokens"] + train["stories"]) // lineage["sampling"]["sequence_length"]
        return min(whole, lineage.get("initial_sequences", whole))

    def sequences(self, lineage: dict) -> int:
        """The sequences that each generation samples; `auto` is as many as the initial corpus has."""
        configured = lineage["sampling"]["sequences"]
        return self.initial_sequences(lineage) if configured == "auto" else configured

    def _shard_tokens(self, of):
        lineage = self.lineages[of["lineage"]]
        sampling = lineage["sampling"]
        if of["lm"] == "gen0":
            return self.initial_sequences(lineage) * sampling["sequence_length"]
        number, all_of_it = int(of["shard"]), self.sequences(lineage)
        first, end = shard_indices(all_of_it, number, sampling["shards"])
        return (end - first) * sampling["sequence_length"]

    def _lineage(self, job):
        return self.lineages[job["wildcards"]["lineage"]]

    def _at_rate(self, job, rule, tokens):
        """Seconds to process tokens at the rate of a rule, its start included."""
        rate = self._lineage(job)["rates"][rule]
        return rate["start"] + tokens / rate["tokens_per_second"]

    def _initial_corpus(self, job):
        splits = self.corpora[job["wildcards"]["corpus"]].values()
        stories = sum(split["stories"] for split in splits)
        return stories / self.machine_speed["stories_per_second"]

    def _tokenise(self, job):
        splits = self.corpora[job["wildcards"]["corpus"]].values()
        tokens = sum(split["tokens"] for split in splits)
        return tokens / self.machine_speed["tokenise_tokens_per_second"]

    def _trained(self, job):
        """Tokens of a training corpus, by the lineage's regime."""
        lineage = self._lineage(job)
        sequences = trained_sequences(
            regimes()[lineage["regime"]],
            int(job["wildcards"].get("n", 1)),
            lambda k: self.sequences(lineage) if k else self.initial_sequences(lineage),
            lineage.get("regime_settings", {}),
        )
        return sequences * lineage["sampling"]["sequence_length"]

    def _train(self, job):
        return self._at_rate(job, "train", self._lineage(job)["epochs"] * self._trained(job))

    def _train_first(self, job):
        """Epochs until early stopping stops, and perplexity of the held-out stories after each."""
        lineage = self._lineage(job)
        training, epochs = lineage["training"], lineage["epochs"]
        if training["epochs"] == "auto":
            epochs = min(training["max_epochs"], epochs + training["patience"])
        seconds = self._at_rate(job, "train", epochs * self._trained(job))
        held_out = epochs * self.corpora[lineage["corpus"]]["heldout"]["tokens"]
        return seconds + held_out / lineage["rates"]["ppl"]["tokens_per_second"]

    def _sample(self, job):
        return self._at_rate(job, "sample", self.corpus_tokens(job["output"]))

    def _ppl(self, job):
        """A token beyond the context needs a forward pass of a whole context of its own, with the output
        layer at its end alone.
        """
        lineage = self._lineage(job)
        body, head = weights(lineage["model"], lineage["vocabulary"])
        each = lineage["evaluation"]["context"] * body / (body + head)
        tokens = self.corpora[lineage["corpus"]]["validation"]["tokens"]
        tokens *= 1 + lineage["beyond_context"] * each
        return self._at_rate(job, "ppl", tokens)

    def _text(self, job):
        tokens = self.corpus_tokens(job["input"], job["wildcards"]["lm"])
        return tokens / self.machine_speed["text_tokens_per_second"]

    def _oov(self, job):
        """Words alone are about a quarter of the work of text statistics; so are the beginnings of stories."""
        return self._text(job) / 4

    def _completions(self, job):
        evaluation = self._lineage(job)["evaluation"]
        tokens = PROMPTS * evaluation["completions"] * evaluation["new_tokens"]
        return self._at_rate(job, "sample", tokens)

    def _gpt_eval(self, job):
        evaluation = self._lineage(job)["evaluation"]
        requests = PROMPTS * evaluation["completions"]
        return requests * 60 / self.judges[evaluation["judge"]]["requests_per_minute"]

    def _classification(self, job):
        lineage = self._lineage(job)
        settings, rate = lineage["evaluation"]["classification"], lineage["rates"]["fine_tuning"]
        task, size = self.tasks[job["wildcards"]["task"]]
        epochs, seeds = (task.get(key, settings[key]) for key in ("epochs", "seeds"))
        tokens = min(size.tokens, task.get("max_length", settings["max_length"]))
        update = rate["seconds_per_update"] + settings["batch"] * tokens * rate["seconds_per_token"]
        updates = math.ceil(size.train * epochs / settings["batch"])
        # a forward pass takes a third of an update
        batches = math.ceil(size.validation / settings["eval_batch"])
        forward = rate["seconds_per_update"] * batches
        forward += size.validation * tokens * rate["seconds_per_token"]
        # transformers and sklearn take about as long to import as torch
        start = self.machine_speed["start"]["torch"] + rate["start"]
        return start + seeds * (updates * update + forward / 3)


class Rule(NamedTuple):
    """`imports`: what its script imports, a key of machine_speed.IMPORTS: that decides how long it
    takes to start. `work`: seconds of a job after its start, or the method that computes them.
    """

    imports: str
    work: float | Callable[[JobCosts, dict], float]


UNKNOWN = Rule("light", REPORT)  # any rule that is not in the table
RULES = {
    "initial_corpus": Rule("light", JobCosts._initial_corpus),
    "tokenizer": Rule("light", JobCosts._tokenise),
    "tokenise": Rule("light", JobCosts._tokenise),
    "sequences": Rule("light", 0.0),
    "initial": Rule("light", 0.0),
    "gen0": Rule("light", 0.0),
    "recipe": Rule("light", 0.0),
    "lexicon": Rule("light", LEXICON),
    "clean_lexicon": Rule("light", LEXICON),
    "task": Rule("light", 0.0),
    "baseline": Rule("torch", 0.0),
    "train_first": Rule("torch", JobCosts._train_first),
    "train": Rule("torch", JobCosts._train),
    "sample": Rule("torch", JobCosts._sample),
    "ppl": Rule("torch", JobCosts._ppl),
    "text": Rule("light", JobCosts._text),
    "oov": Rule("light", JobCosts._oov),
    "theory": Rule("torch", JobCosts._oov),
    "support": Rule("light", SUPPORT),
    "samples": Rule("light", 0.0),
    "completions": Rule("torch", JobCosts._completions),
    "gpt_eval": Rule("light", JobCosts._gpt_eval),
    "classification": Rule("torch", JobCosts._classification),
    "figure": Rule("figures", REPORT),
    "table": Rule("light", REPORT),
    "results_table": Rule("figures", REPORT),
    "findings": Rule("light", REPORT),
    "lineage_samples": Rule("light", 0.0),
    "gpt_eval_table": Rule("light", 0.0),
    "report_page": Rule("light", REPORT),
}


def notes_on_unknown_rules(jobs: list[dict]) -> list[str]:
    """A note that names the rules that the table lacks, if there are any."""
    names = sorted({job["rule"] for job in jobs if job["output"]} - set(RULES))
    return [f"assumed: {REPORT} s of work per job of {', '.join(names)}"] if names else []
