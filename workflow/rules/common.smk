"""Configuration, wildcard constraints and input functions. Nothing heavy: every job re-reads this."""

import glob
import re
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/workflow/scripts")
from ouroboros.errors import UserError
from ouroboros.settings import nearest, resolve

ENVIRONMENT = f"{workflow.basedir}/envs/ouroboros.yaml"
RESERVED = frozenset(
    "all corpora lexicon initial_corpus tokenizer tokenise gen0 baseline train_first train sample "
    "ppl text samples lineage_samples figure_perplexity figure_entropy table findings".split()
)

try:
    SCHEMA = yaml.safe_load(
        Path(workflow.basedir, "workflow/schemas/config.schema.yaml").read_text()
    )
    RESOLVED = resolve(config, SCHEMA, RESERVED)
except UserError as error:
    raise WorkflowError(str(error))

LINEAGES = RESOLVED["lineages"]
COMPARISONS = RESOLVED["comparisons"]
GROUPS = {name: [name] for name in LINEAGES} | COMPARISONS


wildcard_constraints:
    lineage="|".join(map(re.escape, LINEAGES)),
    group="|".join(map(re.escape, GROUPS)),
    corpus="|".join(map(re.escape, RESOLVED["corpora"])) or "none",
    tokenizer="|".join(map(re.escape, RESOLVED["tokenizers"])) or "none",
    n=r"[1-9]\d*",
    lm=r"baseline|gen[1-9]\d*",
    shard=r"\d{5}",
    cut=r"-?\d+(\.\d+)?",


def part(name):
    """A parameter function: one part of the wildcards' lineage (`model`, `seed`, ...)."""
    return lambda wildcards: LINEAGES[wildcards.lineage][name]


def setting(name, key):
    """A parameter function: one key of a part of the wildcards' lineage."""
    return lambda wildcards: LINEAGES[wildcards.lineage][name][key]


def resource(rule_name, key):
    """A resource of a rule: the lineage's own where there is a lineage, else the general one."""

    def of(wildcards):
        lineage = LINEAGES.get(getattr(wildcards, "lineage", None), RESOLVED)
        return lineage["resources"][rule_name][key]

    return of


def generation(wildcards):
    """The number in `lm`; the baseline, which no training made, is 0."""
    lm = getattr(wildcards, "lm", None) or f"gen{wildcards.n}"
    return 0 if lm == "baseline" else int(lm.removeprefix("gen"))


def of_corpus(file):
    """An input function: a file that every lineage on the same corpus and tokenizer shares."""

    def path(wildcards):
        lineage = LINEAGES[wildcards.lineage]
        return f"results/corpora/{lineage['corpus']}/{lineage['tokenizer']}/{file}"

    return path


def shards(lineage, lm):
    """The files of a corpus; the initial corpus is one, a sampled one has as many as configured."""
    count = 1 if lm == "gen0" else LINEAGES[lineage]["sampling"]["shards"]
    return [f"results/{lineage}/{lm}/corpus/shard-{shard:05d}.parquet" for shard in range(count)]


def own_corpus(wildcards):
    """The corpus of the LM in the wildcards."""
    return shards(wildcards.lineage, wildcards.lm)


def previous_corpus(wildcards):
    """The recursion: what generation n trains on, by the lineage's regime."""
    n = int(wildcards.n)
    first = 0 if LINEAGES[wildcards.lineage]["regime"] == "accumulate" else n - 1
    return [path for k in range(first, n) for path in shards(wildcards.lineage, f"gen{k}")]


def shard_indices(wildcards):
    """The index of the first sequence in a shard, and the one behind its last."""
    sampling = LINEAGES[wildcards.lineage]["sampling"]
    shard, count, sequences = int(wildcards.shard), sampling["shards"], sampling["sequences"]
    if shard >= count:
        raise WorkflowError(
            f"{wildcards.lineage} has {count} shards per corpus, numbered from 0; there is no shard "
            f"{shard}. Raise `shards` of its sampling settings for more."
        )
    return [shard * sequences // count, (shard + 1) * sequences // count]


def lexicon(lineage):
    """The list of English words that a lineage's OOV words are told by."""
    return f"results/lexicon/{LINEAGES[lineage]['evaluation']['lexicon_cut']}.txt"


def lms(lineage, first=1):
    """The generations of a lineage, as path names, from `first` on."""
    return [f"gen{n}" for n in range(first, LINEAGES[lineage]["generations"] + 1)]


def ppl_files(lineage):
    """The perplexities of a lineage's generations."""
    return [f"results/{lineage}/{lm}/ppl.json" for lm in lms(lineage)]


def text_files(lineage):
    """The text statistics of a lineage's generations, the initial corpus's first."""
    return [f"results/{lineage}/{lm}/text.json" for lm in lms(lineage, first=0)]


def tokens_file(lineage):
    """How many tokens a lineage's initial corpus has, and its entropy where that is known."""
    return f"results/corpora/{LINEAGES[lineage]['corpus']}/{LINEAGES[lineage]['tokenizer']}/tokens.json"


def group_targets(group):
    """Everything that is measured and drawn of a lineage or a comparison."""
    targets = [f"results/{group}/figures/perplexity.svg", f"results/{group}/findings.json"]
    for name in GROUPS[group]:
        targets += [
            f"results/{name}/figures/entropy.svg",
            f"results/{name}/table.md",
            f"results/{name}/samples.md",
            *(f"results/{name}/{lm}/samples.md" for lm in lms(name, first=0)),
        ]
    return targets


def source_files(name):
    """The files on this machine that a corpus is made of; checked before anything runs."""
    settings = RESOLVED["corpora"][name]
    if settings["source"] == "hub":
        return []
    if settings["source"] == "grammar":
        patterns = {"grammar": [str(Path(workflow.basedir, settings["grammar"]))]}
    else:
        patterns = {key: settings[key] for key in ("files", "validation_files")}
    found = []
    for key, entries in patterns.items():
        for pattern in entries:
            paths = sorted(glob.glob(pattern, recursive=True))
            if not paths:
                raise WorkflowError(
                    f"config: corpora.{name}.{key}: {pattern!r} matches no file (looked from "
                    f"{Path.cwd()}). Give the path of an existing .txt, .jsonl or .parquet file."
                )
            found += paths
    return found


SOURCE_FILES = {name: source_files(name) for name in RESOLVED["corpora"]}


def check_targets(arguments):
    """Say what is wrong with a file asked for on the command line that no rule makes."""
    for target in arguments:
        if not target.startswith("results/") or any(
            maker.is_producer(target) for maker in workflow.rules
        ):
            continue
        group = target.split("/")[1]
        if group not in {*GROUPS, "corpora", "lexicon"}:
            raise WorkflowError(
                f"{target}: there is no lineage {group!r} in the configuration. {nearest(group, GROUPS)}"
            )
        raise WorkflowError(
            f"{target}: no rule makes this file. For generation 4 of {group} there are "
            f"results/{group}/gen4/ppl.json, text.json, samples.md, checkpoint and "
            f"corpus/shard-00000.parquet; README.md lists what appears where."
        )
