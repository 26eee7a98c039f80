"""Paths of artifacts, both ways."""

import re

import pytest

from ouroboros.pipeline import paths

SAMPLE = {
    "table": "stories",
    "lm": "gen12",
    "shard": "00003",
    "length": "600",
    "sequences": "900",
    "cut": "-18.0",
    "split": "train",
}
PATTERNS = {
    name: value
    for name, value in vars(paths).items()
    if name.isupper() and isinstance(value, str) and value.startswith("results/")
}


@pytest.mark.parametrize("kind", PATTERNS)
def test_what_is_filled_in_is_read_back(kind):
    names = re.findall(r"\{(\w+)\}", PATTERNS[kind])
    wildcards = {name: SAMPLE.get(name, f"my-{name}") for name in names}
    assert paths.parse(PATTERNS[kind].format(**wildcards)) == (kind, wildcards)


@pytest.mark.parametrize(
    ("path", "kind", "wildcards"),
    [
        ("results/33m/gen40/ppl.json", "MEASUREMENT",
         {"lineage": "33m", "lm": "gen40", "metric": "ppl"}),
        ("results/33m/baseline/classification/sst2.json", "CLASSIFICATION",
         {"lineage": "33m", "lm": "baseline", "task": "sst2"}),
        ("results/33m/gen0/corpus/shard-00000.parquet", "SHARD",
         {"lineage": "33m", "lm": "gen0", "shard": "00000"}),
        ("results/corpora/mine/gpt2/sequences-600.parquet", "SEQUENCES",
         {"corpus": "mine", "tokenizer": "gpt2", "length": "600"}),
        ("results/corpora/mine/gpt2/tokens.json", "TOKEN_COUNTS",
         {"corpus": "mine", "tokenizer": "gpt2"}),
        ("results/corpora/mine/gpt2/heldout.parquet", "TOKENS",
         {"corpus": "mine", "tokenizer": "gpt2", "split": "heldout"}),
        ("results/lexicon/-18.0.txt", "LEXICON", {"cut": "-18.0"}),
        ("results/lexicon/clean.txt", "CLEAN_LEXICON", {}),
        ("results/paper/figures/perplexity.png", "FIGURE_PNG",
         {"group": "paper", "figure": "perplexity"}),
        ("results/calibration/machine.json", "MACHINE_SPEED", {}),
        ("results/calibration/1m-0123abcd.json", "CALIBRATION", {"calibration": "1m-0123abcd"}),
    ],
)  # fmt: skip
def test_read_back(path, kind, wildcards):
    assert paths.parse(path) == (kind, wildcards)


@pytest.mark.parametrize(
    "path",
    ["results/33m/gen04/ppl.json", "results/33m/gen4/corpus/shard-0.parquet", "33m/gen4/ppl.json",
     "results/a/b/gen4/ppl.json", "results/33m/gen4/ppl.json.tmp"],
)  # fmt: skip
def test_what_is_no_artifact(path):
    assert paths.parse(path) is None


def test_shards_are_numbered_in_five_digits():
    assert paths.shard("33m", "gen2", 3) == "results/33m/gen2/corpus/shard-00003.parquet"
