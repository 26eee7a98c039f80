"""One key of the shipped config.yaml set to what it may not be, and resolved."""

import copy

import yaml
from tools import CONFIG, SCHEMA

from ouroboros.config.checks import check_reserved
from ouroboros.config.resolve import resolve

CONFIGURATION = [
    ("lineage", {}),
    ("models.1m.layer", 3),
    ("models.1m.layers", 0),
    ("models.1m.layers", "eight"),
    ("models.1m.layers", "8"),
    ("models.1m.layers", 2.5),
    ("models.1m.layers", None),
    ("models.1m.hidden_size", [64]),
    ("models.1m", 8),
    ("models.1m", {"layers": 8, "heads": 2}),
    ("models.1m.heads", 7),
    ("models.1m.positions", 300),
    ("models.1m.initial_std", float("nan")),
    ("models.1m.family", "gptneo"),
    ("models.bad name", {}),
    ("models.../../x", {}),
    ("models.-x", {}),
    ("training.paper.learning_rate", "5e-4"),
    ("training.paper.learning_rate", -1),
    ("training.paper.learning_rate", float("inf")),
    ("training.paper.betas", [0.9]),
    ("training.paper.betas", [0.9, 1.5]),
    ("training.paper.precision", "fp8"),
    ("training.paper.schedule", "linear"),
    ("tasks.rte.source", "files"),
    ("training.paper.epochs", "three"),
    ("training.paper.epochs", 0),
    ("training.paper.batch", True),
    ("sampling.paper.temperature", 0),
    ("sampling.paper.sequence_length", 1),
    ("sampling.paper.sequences", 3),
    ("sampling.paper.shards", 7),
    ("sampling.small.sequences", 1.0e6 + 0.5),
    ("evaluation.small.context", 512),
    ("evaluation.paper.judge", "gpt4"),
    ("evaluation.paper.lexicon_cut", 3),
    ("evaluation.paper.lexicon_cut", float("nan")),
    ("evaluation.small.classification.tasks", ["sst3"]),
    ("evaluation.small.classification.tasks", "sst2"),
    ("evaluation.small.classification.tasks", ["sst2", "sst2"]),
    ("evaluation.small.classification.max_length", 512),
    ("corpora.tinystories.source", "web"),
    ("corpora.tinystories.files", ["a.txt"]),
    ("corpora.x", {"source": "files"}),
    ("corpora.x", {"source": "files", "files": []}),
    ("corpora.x", {"source": "files", "files": "a.txt"}),
    ("corpora.x", {}),
    ("corpora.grammar.stories", 2),
    ("tokenizers.big", {"source": "train", "vocabulary_size": 2000000}),
    ("tokenizers.big", {"source": "gpt3"}),
    ("tasks.own", {"kind": "sst3", "source": "fixture"}),
    ("tasks.own", {"kind": "sst2", "source": "files", "files": ["a.tsv"]}),
    ("judges.gpt35.base_url", "api.openai.com/v1"),
    ("judges.gpt35.api_key", "sk-123"),
    ("judges.gpt35.key_variable", "sk-123"),
    ("judges.gpt35.temperature", 3),
    ("judges.gpt35.budget", -1),
    ("lineages.33m.model", "33n"),
    ("lineages.33m.model", 33),
    ("lineages.33m.corpus", "tinystory"),
    ("lineages.33m.regime", "mixed"),
    ("lineages.33m.regime", {"name": "mix", "rho": 2}),
    ("lineages.33m.regime", {"name": "mix", "k": 2}),
    ("lineages.33m.regime", "fresh"),
    ("lineages.33m.regime", {"name": "accumulate", "cap": 1000}),
    ("lineages.33m.regime", {"name": "growth", "n_0": 30000}),
    ("lineages.33m.regime", {"name": "counts", "n_real": 0, "n_generated": 0}),
    ("lineages.33m.start", "initial"),
    ("lineages.33m.start", "end"),
    ("lineages.33m.initial_model", 7),
    ("lineages.33m.seed", -1),
    ("lineages.33m.generations", True),
    ("lineages.33m.generations", 0),
    ("lineages.33m.overrides.train", {}),
    ("lineages.33m.overrides.training.learning_rte", 1),
    ("lineages.33m.overrides.resources.trian", {}),
    ("lineages.33m.overrides.resources.train", 1),
    ("lineages.33m.overrides.resources.train.gpus", 2),
    ("lineages.train", {"corpus": "grammar", "model": "1m"}),
    ("lineages.x", {"corpus": "grammar"}),
    ("lineages.x", None),
    ("comparisons.33m", ["33m"]),
    ("comparisons.both", ["33m", "2m"]),
    ("comparisons.both", []),
    ("resources.train.gpu", 1.5),
    ("resources.train.gpu", -1),
    ("resources.train.gpu", 64),
    ("resources.train.gpu", 100),
    ("resources.train.mem_mb", "10GB"),
    ("resources.sample.batch", 2.5),
    ("resources.sample.batch", "all"),
    ("lineages.x", {"like": "demo", "regime": "history", "generations": 1}),
    ("plan", {"fit": "two hours", "groups": ["demo"]}),
    ("plan", {"fit": "2h", "groups": ["33m", "1m"]}),
    ("plan", {"fit": "2h", "groups": ["dmo"]}),
]


def configured(key, value):
    config = copy.deepcopy(CONFIG)
    section, _, rest = key.partition(".")
    names = [section]
    if rest:  # a name under test may hold dots itself
        name = next((n for n in ("../../x",) if rest == f"{n}"), None)
        names += [name] if name else rest.split(".")
    place = config
    for part in names[:-1]:
        place = place.setdefault(part, {})
    place[names[-1]] = value
    check_reserved(resolve(config, SCHEMA), {"train", "all"})


def shown_value(value):
    return (
        yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    )


CASES = [
    (f"`{key}: {shown_value(value)}`", lambda folder, key=key, value=value: configured(key, value))
    for key, value in CONFIGURATION
]
