"""Fixtures of several tests: stories, a small tokenizer, a small model, a small lineage."""

import json
import os
import signal
from pathlib import Path

import pytest
from filelock import FileLock
from tools import END, Workflow, run_line

# Triton reads this when it is first imported, by whichever library; see test_triton_kernels.py
if not Path("/dev/nvidiactl").exists():
    os.environ["TRITON_INTERPRET"] = "1"

# A shell makes its background jobs ignore SIGINT, and whatever they start; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def with_threads(number):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def several_threads():
    """More of them than `make test` has for the rest."""
    yield from with_threads(3)


@pytest.fixture
def one_thread():
    """As many as the jobs have: another number sums in another order, which hundreds of updates enlarge."""
    yield from with_threads(1)


@pytest.fixture(scope="session")
def texts():
    """Stories of a few dozen words, no two alike."""
    names = ["Mia", "Tom", "Lily", "Ben", "Sara"]
    things = ["ball", "kite", "boat", "cake", "stone", "feather"]
    return [
        f"Once upon a time {name} had a {thing}. {name} put it under tree number {number}. "
        f'"Where is my {thing}?" {name} asked the next day. It was still there, and {name} smiled.'
        for number in range(20)
        for name in names
        for thing in things
    ]


@pytest.fixture(scope="session")
def tokenizer(texts):
    """A byte-level BPE of 300 tokens; end-of-text (`tools.END`) is the last, as in GPT-2's."""
    from tokenizers import Tokenizer

    from ouroboros.data.tokenizer import make_tokenizer

    trained = make_tokenizer({"source": "train", "vocabulary_size": 300}, texts)[0]
    content = json.loads(trained.to_str())
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = {token: (index - 1) % 300 for token, index in vocabulary.items()}
    content["added_tokens"][0]["id"] = END
    return Tokenizer.from_str(json.dumps(content))


@pytest.fixture(scope="session")
def tokenizer_folder(tokenizer, tmp_path_factory):
    from ouroboros.data.tokenizer import END_OF_TEXT, write_tokenizer

    folder = tmp_path_factory.mktemp("tokenizer") / "tokenizer"
    write_tokenizer(tokenizer, END_OF_TEXT, folder)
    return folder


@pytest.fixture
def model_settings():
    """Small, but with every feature: both kinds of layers, windows shorter than the texts."""
    from ouroboros.model.families.gpt_neo.settings import GPTNeoSettings

    return GPTNeoSettings(
        layers=4, hidden_size=16, heads=4, window=8, context=24, positions=64, initial_std=0.02,
        vocabulary_size=300,
    )  # fmt: skip


@pytest.fixture
def workflow(tmp_path, texts):
    return Workflow(tmp_path).set_up(texts)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, texts, worker_id):
    """The tiny lineage, run to its end by one of pytest's workers for all of them.

    Tests may look at it; one that changes a file or calls Snakemake takes `lineage_copy`.
    """
    base = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        base = base.parent  # of this run of pytest, for all workers
    workflow = Workflow(base / "finished lineage")
    done = base / "finished"
    with FileLock(base / "finished.lock"):
        if not done.exists():
            line = "snakemake --cores all --resources gpu=1 --configfile tiny.yaml tiny"
            first = run_line(line, workflow.set_up(texts).folder)
            assert first.returncode == 0, first.stdout[-4000:]
            done.touch()
    return workflow


@pytest.fixture
def lineage_copy(finished, tmp_path):
    """A copy of the finished tiny lineage, to change and to run."""
    return finished.copy(tmp_path / "lineage")
