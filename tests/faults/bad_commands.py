"""Wrong words after `snakemake -n --cores 1`."""

import re
import subprocess
import sys

from tools import REPOSITORY

COMMANDS = [
    ["dmeo"],
    ["33M"],
    ["train"],
    ["results/34m/gen4/ppl.json"],
    ["results/33m/gen4/pl.json"],
    ["results/33m/gen04/ppl.json"],
    ["results/33m/gen0/ppl.json"],
    ["results/33m/gen4/corpus/shard-00004.parquet"],
    ["results/33m/gen1/gpt_eval.json"],
    ["result/33m/gen4/ppl.json"],
    ["results/../../etc/x"],
    ["--configfile", "missing.yaml"],
    ["--configfile", "broken.yaml"],
    ["--configfile", "list.yaml"],
    ["--configfile", "object.yaml"],
    ["--config", "lineage={}"],
    ["--config", "models={m: {layers: 2, hidden_size: 8, heads: 4}}"],
    ["--configfile", "files.yaml", "mine"],
    ["--configfile", "prompts.yaml"],
    ["--configfile", "demo"],
    ["--resources", "gpu", "demo"],
    ["--resources", "gpu=one", "demo"],
    ["--set-threads", "train", "demo"],
]
CONFIGFILES = {
    "broken.yaml": "lineages: {mine: {corpus: grammar\n",
    "list.yaml": "- lineages\n",
    "object.yaml": "lineages: !!python/object/apply:os.getcwd []\n",
    "files.yaml": "corpora: {mine: {source: files, files: [stories/*.txt]}}\n"
    "lineages: {mine: {corpus: mine, model: 1m}}\n",
    "prompts.yaml": "evaluation: {paper: {prompts: mine.yaml, judge: gpt35}}\n",
}


def command(folder, words):
    """The message that Snakemake ends with, without the lines of its Snakefile."""
    for name, text in CONFIGFILES.items():
        (folder / name).write_text(text)
    words = [str(folder / word) if word in CONFIGFILES else word for word in words]
    asked = words[0][0] != "-" or {"demo", "mine"} & {*words}
    targets = [] if asked else ["--", "33m"]
    result = subprocess.run(
        [sys.executable, REPOSITORY / "workflow/scripts/snakemake_command.py",
         "-n", "--cores", "1", *words, *targets],
        cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert result.returncode != 0, result.stdout
    said = re.sub(r"^Using workflow specific profile.*\n", "", result.stdout)
    for pattern in (
        r'\w+(?:Error|Exception) in file "[^"]*"(?:, line \d+)?:\n(.*?)(?:\n  File |\Z)',
        r"\w+(?:Error|Exception):\n(.*?)(?:\n  File |\Z)",
        r"\nsnakemake: error: (.*)\n",  # before a Snakefile is read
    ):
        if found := re.search(pattern, said, re.S):
            return re.split(r"\s+Wildcards:", found[1])[0]
    return said


CASES = [
    (f"`snakemake {' '.join(words)}`", lambda folder, words=words: command(folder, words))
    for words in COMMANDS
]
