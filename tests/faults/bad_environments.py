"""Surroundings of a run: a Python, a key, a judge, GPUs and folders that will not do."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from judge_server import JudgeServer, error
from tools import CONFIG, REPOSITORY, SCHEMA

from ouroboros.config.resolve import resolve
from ouroboros.errors import UserError
from ouroboros.jobs import gpu_locks
from ouroboros.metrics.gpt_eval import judge
from ouroboros.metrics.gpt_eval.reply_log import Replies
from ouroboros.planning.fit import Choice, fit
from ouroboros.status.page import status
from ouroboros.storage.atomic import write_json

KNOWN = [gpu_locks.GPU("GPU-0aaa", "0", 1.0), gpu_locks.GPU("GPU-1bbb", "1", 1.0)]


def judged(key, plan=(), **changes):
    """Ask a judge on loopback about one completion."""
    with JudgeServer("the-key") as server, tempfile.TemporaryDirectory() as folder:
        server.plan = list(plan)
        entry = resolve(CONFIG, SCHEMA)["judges"]["gpt35"]
        asked = judge.Judge(**entry | {"base_url": server.url, "max_retries": 0, **changes})
        stories = [{"beginning": "Tom", "completions": [{"text": "Tom ran."}]}]
        os.environ["OPENAI_API_KEY"] = key
        try:
            with Replies(Path(folder, "replies")) as kept:
                judge.grade(asked, stories, kept)
        finally:
            del os.environ["OPENAI_API_KEY"]


def make(folder):
    """`make` with a Python that is too old."""
    old = folder / "python3"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    (folder / "Makefile").write_text((REPOSITORY / "Makefile").read_text())
    (folder / "envs").mkdir()
    (folder / "envs/requirements.txt").write_text("")
    result = subprocess.run(
        ["make", f"PYTHON={old}", "install"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
    )
    raise UserError(result.stdout)


def crowded(folder):
    """A job that wants more GPUs than CUDA_VISIBLE_DEVICES allows, by an nvidia-smi of our own."""
    (folder / "nvidia-smi").write_text('#!/bin/sh\necho "GPU 0: Any (UUID: GPU-0aaa)"\n')
    (folder / "nvidia-smi").chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}{os.pathsep}{before}"
    try:
        gpu_locks.lock_gpus(2, folder / "locks")
    finally:
        os.environ["PATH"] = before


def foreign(folder):
    (folder / "locks").symlink_to(folder)
    gpu_locks._open(folder / "locks", "x")


def nowhere(folder):
    """`make status` where no run has been."""
    (folder / "empty").mkdir()
    with contextlib.chdir(folder / "empty"):
        status(REPOSITORY)


def too_short(folder):
    """A time to fit to, where a generation of the smallest model takes 22 s with a tenth of its sequences."""
    configured = Choice("small", 1000, 40, 8)
    fit(
        24,
        configured,
        ["small"],
        1,
        lambda _: 1.0,
        lambda choice: 20 + choice.generations * choice.sequences / 50,
    )


CASES = [
    ("Python 3.9 for `make`", make),
    ("`OPENAI_API_KEY` with a space in it", lambda folder: judged("two words")),
    ("`OPENAI_API_KEY` unset, for a judge that wants one", lambda folder: judged("")),
    ("`OPENAI_API_KEY` wrong", lambda folder: judged("another")),
    ("an account without credit", lambda folder: judged("the-key", [(429, {}, error("Out.", "insufficient_quota"))])),
    ("a judge that fails", lambda folder: judged("the-key", [(503, {}, error("busy"))])),
    ("a judge that knows no such model", lambda folder: judged("the-key", [(404, {}, error("no such model"))])),
    ("a budget that is too small", lambda folder: judged("the-key", budget=0.0)),
    ("`CUDA_VISIBLE_DEVICES=7` with two GPUs", lambda folder: gpu_locks.visible_gpus(KNOWN, "7")),
    ("`CUDA_VISIBLE_DEVICES=GPU-` with two GPUs", lambda folder: gpu_locks.visible_gpus(KNOWN, "GPU-")),
    ("`gpu: 2` with one GPU", crowded),
    ("a folder of GPU locks that is somebody else's", foreign),
    ("`make status` where nothing ran", nowhere),
    ("`plan: {fit: 24s, groups: [mine]}` where a generation takes 22 s", too_short),
    ("a file in place of a folder", lambda folder: write_json(folder / "file/a.json", {})),
]  # fmt: skip
