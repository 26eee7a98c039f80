"""A user's mistakes in files (on the command line: tests/faults/bad_commands.py): a clear paragraph, a failure, nothing half-made."""

import copy
import json
import shutil
import sys

import pytest
from tools import REPOSITORY, TINY, artifacts

from ouroboros.storage.checksums import write_checksums


def fails(result, *messages):
    assert result.returncode != 0
    text = " ".join(result.stdout.split())
    for message in messages:
        assert message in text, result.stdout[-3000:]
    assert "Traceback" not in result.stdout, result.stdout[-3000:]


def test_a_file_that_is_not_there_is_said_before_anything_runs(workflow):
    config = copy.deepcopy(TINY)
    config["corpora"]["own"]["files"] = ["mine/*.txt"]
    config["tasks"] = {
        "lost": {
            "kind": "sst2",
            "source": "files",
            "files": ["x.tsv"],
            "validation_files": ["y.tsv"],
        }
    }
    config["corpora"]["there"] = TINY["corpora"]["own"]
    config["lineages"]["other"] = {**TINY["lineages"]["tiny"], "corpus": "there"}
    workflow.configure(config)
    fails(workflow.run("tiny", "-n"), "config: corpora.own.files: 'mine/*.txt' matches no file")
    assert (
        workflow.run("other", "-n").returncode == 0
    )  # which reads neither that text nor that task


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "own.txt, named under `files` of the corpus, holds no text"),
        (b"caf\xe9 and more", "own.txt is not UTF-8 text (byte 3)"),
        (b"Only one story, and no separator.", "it needs at least 2 to train on"),
        (b"<|endoftext|>".join([b"Short."] * 4), "fewer than one sequence of 32"),
    ],
)
def test_text_files(workflow, content, message):
    (workflow.folder / "own.txt").write_bytes(content)
    fails(workflow.run("results/tiny/gen0/corpus/shard-00000.parquet"), message)
    left = (
        artifacts(workflow.folder / "results") if (workflow.folder / "results").exists() else set()
    )
    assert not any("partial" in name or "gen0" in name for name in left)


def test_an_unreachable_hub(workflow):
    config = copy.deepcopy(TINY)
    config["corpora"]["own"] = {"source": "hub", "path": "nobody/nothing"}
    workflow.configure(config)
    result = workflow.run(
        "results/corpora/own/train.parquet",
        environment={"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
    )
    fails(
        result,
        "The dataset 'nobody/nothing' could not be loaded",
        "set the corpus's `source: files`",
    )


def test_a_loss_that_is_not_finite(lineage_copy):
    config = copy.deepcopy(TINY)
    # every update multiplies the weights by 1 - 1 * 10
    config["training"]["tiny"] |= {"learning_rate": 1.0, "weight_decay": 10.0}
    lineage_copy.configure(config)
    shutil.rmtree(lineage_copy.folder / "results/tiny/gen1")
    fails(
        lineage_copy.run("results/tiny/gen1/checkpoint"),
        "The loss of generation 1 is",
        "Lower `learning_rate`",
    )
    assert not (lineage_copy.folder / "results/tiny/gen1").exists()


def test_a_damaged_artifact_is_never_trained_on(lineage_copy):
    """The job that reads it names it, and makes nothing of it."""
    config = lineage_copy.folder / "results/tiny/gen3/checkpoint/config.json"
    ppl = lineage_copy.folder / "results/tiny/gen3/ppl.json"
    ppl.unlink()
    config.write_text(json.dumps(json.loads(config.read_text()) | {"hidden_size": 17}))
    write_checksums(config.parent)  # as if it had been made so
    fails(
        lineage_copy.run("results/tiny/gen3/ppl.json"), "gen3/checkpoint do not fit its config.json"
    )
    assert not ppl.exists()


def test_the_library_needs_no_snakemake_and_the_rules_nothing_heavy():
    """A dry-run imports neither torch nor anything else that takes seconds, beyond Snakemake's own."""
    code = (
        "import sys; from snakemake.cli import get_argument_parser, main; sys.argv[0] = 'snakemake'\n"
        "get_argument_parser(); own = set(sys.modules)\n"  # its plugins: that of SLURM wants pandas
        "try:\n    main(['-n', '--cores', '1', 'results/33m/gen2/ppl.json', '--quiet'])\n"
        "finally:\n    print('heavy:', sorted({'torch', 'transformers', 'datasets', 'spacy', 'sklearn',"
        " 'seaborn', 'pyarrow', 'tokenizers', 'openai'} & set(sys.modules) - own))"
    )
    import subprocess

    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert "heavy: []" in result.stdout, result.stdout + result.stderr
