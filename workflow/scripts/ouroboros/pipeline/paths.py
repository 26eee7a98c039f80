"""Every path of an artifact, both ways: as a pattern for rules, filled in, and read back.

Rules use a pattern as it is; `PATTERN.format(lineage="33m", ...)` fills one in; `parse` reads a path.
"""

import re
from typing import NamedTuple

# What lineages share.
SOURCE_TEXT = "results/corpora/{corpus}/{split}.parquet"
SOURCE = "results/corpora/{corpus}/source.json"
TOKENIZER = "results/corpora/{corpus}/{tokenizer}/tokenizer"
TOKENS = "results/corpora/{corpus}/{tokenizer}/{split}.parquet"
TOKEN_COUNTS = "results/corpora/{corpus}/{tokenizer}/tokens.json"
SEQUENCES = "results/corpora/{corpus}/{tokenizer}/sequences-{length}.parquet"
INITIAL = "results/corpora/{corpus}/{tokenizer}/initial-{length}-{sequences}.parquet"
LEXICON = "results/lexicon/{cut}.txt"
CLEAN_LEXICON = "results/lexicon/clean.txt"
TASK = "results/tasks/{task}/{split}.parquet"
REPLIES = "results/judges/{judge}.jsonl"
CALIBRATION = "results/calibration/{calibration}.json"
MACHINE_SPEED = "results/calibration/machine.json"
SHARED = ("corpora", "lexicon", "tasks", "judges", "calibration")  # folders that are no lineage's

# Of one LM: `lm` is baseline, gen1, gen2, ...; a corpus is gen0's too.
CHECKPOINT = "results/{lineage}/{lm}/checkpoint"
SHARD = "results/{lineage}/{lm}/corpus/shard-{shard}.parquet"
RECIPE = "results/{lineage}/{lm}/recipe.parquet"
MEASUREMENT = "results/{lineage}/{lm}/{metric}.json"
MEASUREMENT_TABLE = (
    "results/{lineage}/{lm}/{metric}-{table}.parquet"  # what a metric keeps beside it
)
CLASSIFICATION = "results/{lineage}/{lm}/classification/{task}.json"
SAMPLES = "results/{lineage}/{lm}/samples.md"

# Of a lineage.
EPOCHS = "results/{lineage}/epochs.json"
TABLE = "results/{lineage}/table.md"
LINEAGE_SAMPLES = "results/{lineage}/samples.md"
LINEAGE_SAMPLES_JSON = "results/{lineage}/samples.json"
GPT_EVAL_TABLE = "results/{lineage}/gpt_eval.md"
GPT_EVAL_COST = "results/{lineage}/gpt_eval_cost.json"

# Of a group: a lineage or a comparison.
FIGURE = "results/{group}/figures/{figure}.svg"
FIGURE_PNG = "results/{group}/figures/{figure}.png"
FINDINGS = "results/{group}/findings.json"
FINDINGS_TEXT = "results/{group}/findings.md"
PROFILE = "results/{group}/profile.json"
RESULTS = "results/{group}/results.parquet"
RESULTS_CSV = "results/{group}/results.csv"
REPORT = "results/{group}/report.html"
PLAN = "results/{group}/plan.json"
PLAN_TEXT = "results/{group}/plan.md"
FIT = "results/{group}/fit.yaml"
FIT_TEXT = "results/{group}/fit.md"
REPORT_OF_ALL = "results/report.html"

# What `lm` may be where it is a language model's, and where it is a corpus's (gen0 is no LM).
LMS = {"lm": r"baseline|gen[1-9]\d*", "corpus": r"baseline|gen(?:0|[1-9]\d*)"}
# What a wildcard may be, whatever the configuration.
WILDCARDS = {
    "lm": LMS["corpus"], "shard": r"\d{5}", "length": r"\d+", "sequences": r"\d+", "cut": r"-?\d+(?:\.\d+)?",
    "table": r"\w+", "split": "train|heldout|validation",
}  # fmt: skip


class Artifact(NamedTuple):
    """A path read back: the name of its pattern (`SHARD`, ...) and the values of the wildcards."""

    kind: str
    wildcards: dict[str, str]


def parse(path: str) -> Artifact | None:
    """Read a path under results/ back; None where it is no artifact's."""
    for kind, pattern in _COMPILED.items():
        if found := pattern.fullmatch(path):
            return Artifact(kind, found.groupdict())
    return None


def is_folder(path: str) -> bool:
    """Tell whether a path is that of a folder which artifacts lie in, and which no rule makes."""
    return path == "results" or any(
        _compile(pattern.rsplit("/", count)[0]).fullmatch(path)
        for pattern in _PATTERNS.values()
        for count in range(1, pattern.count("/"))
    )


def shard(lineage: str, lm: str, number: int) -> str:
    """The path of a corpus's shard; shards are numbered from 0."""
    return SHARD.format(lineage=lineage, lm=lm, shard=f"{number:05d}")


def _compile(pattern):
    parts = re.split(r"\{(\w+)\}", pattern)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = (f"(?P<{name}>{WILDCARDS.get(name, '[^/]+')})" for name in parts[1::2])
    return re.compile("".join(parts))


def _by_precision(entry):
    """Patterns of fewer wildcards and of more letters go first: sequences-600.parquet is no split."""
    literal = re.sub(r"\{\w+\}", "", entry[1])
    return entry[1].count("{"), -len(literal)


_PATTERNS = {name: value for name, value in globals().items() if str(value).startswith("results/")}
_COMPILED = {
    kind: _compile(pattern) for kind, pattern in sorted(_PATTERNS.items(), key=_by_precision)
}
