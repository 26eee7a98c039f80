"""Several processes that train together, on a CPU (gloo): what one alone makes, and none is left behind."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pyarrow as pa
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

from ouroboros.data.corpus import Corpus, ShardWriter
from ouroboros.data.recipe import write_whole
from ouroboros.jobs.snapshots import States
from ouroboros.model.families import random_model
from ouroboros.storage.parquet import write_parquet
from ouroboros.training import launcher, worker
from ouroboros.training.data_parallel import ProcessGroup
from ouroboros.training.job import TrainingJob
from ouroboros.training.trainer import Training, TrainingSettings

HERE = Path(__file__).parent
MODEL = {
    "layers": 2, "hidden_size": 16, "heads": 2, "window": 8, "context": 32, "positions": 32, "initial_std": 0.02,
}  # fmt: skip
SETTINGS = {
    "batch": 8, "learning_rate": 3e-3, "betas": (0.9, 0.95), "weight_decay": 0.1,
    "gradient_clip": 1.0, "epochs": "auto", "max_epochs": 3, "patience": 1, "precision": "fp32",
}  # fmt: skip
SEQUENCES = 25  # updates of 8, 8, 8 and 1: the last has no row for a second process


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    tokens = (rng.integers(1, 300, SEQUENCES)[:, None] + 7 * np.arange(32)) % 299 + 1
    with ShardWriter(tmp_path / "shard.parquet", 32, np.uint16) as writer:
        writer.add(tokens.astype(np.uint16), 0)
    shard = str(tmp_path / "shard.parquet")
    write_whole({0: [shard]}, tmp_path / "recipe.parquet")
    heldout = pa.array([tokens[0, :20].tolist()], pa.list_(pa.uint16()))
    write_parquet(tmp_path / "heldout.parquet", pa.table({"input_ids": heldout}))
    return TrainingJob(
        model=MODEL, vocabulary_size=300, end_of_text=0, training=SETTINGS, seed=0, generation=1,
        recipe=str(tmp_path / "recipe.parquet"), corpora=[(0, [shard])], heldout=str(tmp_path / "heldout.parquet"),
        epochs=None, micro_batch=3, state_minutes=1e6,
    )  # fmt: skip


@pytest.fixture(scope="module")
def alone(job, tmp_path_factory):
    """The result of one process."""
    return Run(tmp_path_factory.mktemp("alone"), job, 1).made()


class Run:
    """A job with so many processes, from a folder whose states it resumes from."""

    def __init__(self, folder, job, processes):
        folder.mkdir(exist_ok=True)
        self.log, self.result, self.states = folder / "log", folder / "result", folder / "states"
        self.result.unlink(missing_ok=True)
        order = {
            "job": asdict(job), "processes": processes, "states": str(self.states),
            "log": str(self.log),
        }  # fmt: skip
        (folder / "order.json").write_text(json.dumps(order))
        self.process = subprocess.Popen(
            [sys.executable, HERE / "run_processes.py", folder / "order.json", self.result],
            env={**os.environ, "PYTHONPATH": str(HERE.parents[2] / "workflow/scripts")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def ends(self, status=0) -> str:
        output = self.process.communicate(timeout=300)[0]
        assert self.process.returncode == status, output + self.said()
        return output

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def made(self) -> dict:
        self.ends()
        return torch.load(self.result)

    def workers(self) -> list[psutil.Process]:
        """The processes of ranks 1 and up."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            if "ouroboros.training.worker" in child.cmdline():
                found.append(child)
        return found

    def under_way(self, number=2) -> list[psutil.Process]:
        """Wait for a state, which is written when all are at work; returns the workers."""
        wait_for(
            lambda: any(int(state.stem) >= number for state in self.states.glob("*.safetensors")),
            self.process,
        )
        return self.workers()


def wait_for(condition, process=None):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end and (process is None or process.poll() is None)
        time.sleep(0.02)


def close(made, expected):
    """Equal up to the rounding of sums in another order."""
    assert made["losses"] == pytest.approx(expected["losses"], rel=1e-5)
    assert made["found"]["held_out_losses"] == pytest.approx(expected["found"]["held_out_losses"], rel=1e-5)  # fmt: skip
    assert made["found"]["epochs"] == expected["found"]["epochs"]
    for name, weights in expected["weights"].items():
        assert torch.allclose(made["weights"][name], weights, atol=1e-5), name


def long(job):
    """So many epochs that it is still at work when something happens to it; every update is kept."""
    return replace(job, training={**SETTINGS, "epochs": 3000}, state_minutes=0)


@pytest.mark.parametrize("processes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_several_processes_train_what_one_does(job, alone, tmp_path, processes):
    together = Run(tmp_path, job, processes)
    made = together.made()
    assert len(alone["losses"]) == 4 * len(alone["found"]["held_out_losses"]) >= 8
    close(made, alone)
    assert made["losses"] != alone["losses"]  # or they did not share the work at all
    assert together.said() == ""


@pytest.mark.slow  # its processes import transformers
def test_several_processes_train_a_model_of_transformers(job, tmp_path):
    model = {"family": "hf", "architecture": "llama", "layers": 2, "hidden_size": 16, "heads": 2, "positions": 32,
             "settings": {"intermediate_size": 32}}  # fmt: skip
    other = replace(job, model=model)
    one, two = (Run(tmp_path / str(n), other, n).made() for n in (1, 2))
    close(two, one)
    assert two["losses"] != one["losses"]


@pytest.mark.parametrize("before, after", [(2, 1), pytest.param(1, 2, marks=pytest.mark.slow)])
def test_a_state_of_so_many_processes_is_one_of_any_other_number(job, tmp_path, before, after):
    """Of a job that is long enough to be stopped before its end."""
    job = replace(job, training={**SETTINGS, "epochs": 25})
    first = Run(tmp_path / "run", replace(job, state_minutes=0), before)
    first.under_way()
    first.process.send_signal(signal.SIGTERM)
    first.ends(128 + signal.SIGTERM)
    made = Run(tmp_path / "run", job, after).made()
    assert 2 <= made["start"] < 100 == len(made["losses"])
    close(made, Run(tmp_path / "whole", job, 1).made())


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL]
)
def test_a_killed_job_leaves_no_process(job, tmp_path, number):
    run = Run(tmp_path / "run", long(job), 3)
    workers = run.under_way()
    assert len(workers) == 2
    for process in workers:
        if number == signal.SIGKILL:
            process.suspend()  # as one that hangs: it cannot notice by itself that it is alone
        else:
            process.send_signal(number)  # schedulers send it to all; only rank 0 answers
    run.process.send_signal(number)
    run.ends(-number if number == signal.SIGKILL else 128 + number)
    gone, alive = psutil.wait_procs(workers, timeout=30)
    for process in alive:
        process.kill()
    assert len(gone) == 2 and not alive
    assert run.states.exists()


def test_a_process_that_is_killed_ends_the_job_with_a_word(job, tmp_path):
    run = Run(tmp_path / "run", long(job), 3)
    first, second = run.under_way()
    first.kill()
    assert "Process" in run.ends(1) and not second.is_running()


def test_a_process_that_cannot_start_ends_the_job_with_a_word(job, tmp_path, monkeypatch):
    """One that has not met the others: rank 0 waits where no error reaches it."""
    run = Run(tmp_path / "run", long(job), 2)
    wait_for(run.workers, run.process)
    run.workers()[0].kill()
    assert re.search("Process 2 of the 2 .* ended by SIGKILL", run.ends(1))


@pytest.mark.parametrize(("threads", "processes", "each"), [(4, 2, 2), (5, 2, 2), (1, 3, 1)])
def test_threads_are_divided_among_the_processes(
    job, tmp_path, monkeypatch, several_threads, threads, processes, each
):
    class Assigned(Exception):
        pass

    def assign(assignment, log_file):
        raise Assigned(assignment["threads"], torch.get_num_threads())

    monkeypatch.setattr(launcher, "_Workers", assign)
    states = States(tmp_path / "states", "d")
    with (
        pytest.raises(Assigned) as found,
        launcher.process_group(job, states, processes, torch.device("cpu"), threads),
    ):
        pass
    assert found.value.args == (each, each)


def test_a_job_leaves_the_group_before_it_waits_for_the_others_to_end(job, tmp_path, monkeypatch):
    """NCCL's processes wait for one another when they leave it; gloo's, here, do not."""
    end, left = launcher._Workers.end, []

    def ended(workers, seconds):
        left.append(not dist.is_initialized())
        end(workers, seconds)

    monkeypatch.setattr(launcher._Workers, "end", ended)
    states, log = States(tmp_path / "states", "d"), tmp_path / "log"
    with launcher.process_group(job, states, 2, torch.device("cpu"), 2, log) as processes:
        job.run(job.prepare(torch.device("cpu"), states, processes))
    assert left == [True, True]


def test_a_worker_leaves_the_group_when_its_job_is_done(job, tmp_path, monkeypatch):
    """Here the only process of its group."""
    assignment = {
        "job": asdict(job), "states": [str(tmp_path / "states"), "d"], "world_size": 1, "rank": 0,
        "store": str(tmp_path / "store"), "device": "cpu", "threads": 1, "parent": os.getppid(),
    }  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(assignment)))
    monkeypatch.setattr(worker, "end_with", lambda parent: None)
    worker.main()
    assert not dist.is_initialized()


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (3, "with status 3"),
        (-1, "by SIGHUP"),
        (-15, "by SIGTERM"),
        (-9, "by SIGKILL .*raise `mem_mb`"),
    ],
)
def test_how_a_process_ended_is_said(status, how):
    workers = launcher._Workers({"world_size": 1}, None)
    assert workers.failure(0) is None
    workers.processes = [SimpleNamespace(poll=lambda: status, returncode=status)]
    assert re.match(f"Process 2 of the 2 of this training job ended {how}", workers.failure(0))


def _gradients(rank, folder, reference):
    """The gradients of one update: of several processes, or of torch's DistributedDataParallel."""
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    processes = ProcessGroup.join(rank, 2, cpu, f"{folder}/store{reference}")
    tokens = np.random.default_rng(0).integers(1, 300, (8, 32)).astype(np.uint16)
    corpus = Corpus(tokens, np.zeros(8, np.uint16))
    settings = TrainingSettings(**{**SETTINGS, "gradient_clip": 1e9})
    training = Training(
        random_model(MODEL, 300, seed=0),
        settings,
        corpus,
        0,
        1,
        cpu,
        3,
        processes=processes,
    )
    if reference:
        training.model.forward = training.model.logits
        model = torch.nn.parallel.DistributedDataParallel(training.model)
        inputs, targets = training._micro_batch(np.arange(8)[rank::2])
        logits = model(inputs).flatten(0, 1)
        torch.nn.functional.cross_entropy(logits, targets.flatten()).backward()
    else:
        training.update(np.arange(8))
    if rank == 0:
        gradients = {name: p.grad for name, p in training.model.named_parameters()}
        torch.save(gradients, f"{folder}/gradients{reference}")
    dist.destroy_process_group()


def test_gradients_are_those_of_distributed_data_parallel(tmp_path):
    for reference in (0, 1):
        multiprocessing.spawn(_gradients, (str(tmp_path), reference), nprocs=2)
    ours, theirs = (torch.load(tmp_path / f"gradients{reference}") for reference in (0, 1))
    assert ours.keys() == theirs.keys()
    for name, gradient in theirs.items():
        assert torch.allclose(ours[name], gradient, rtol=1e-4, atol=1e-7), name


def test_rows_are_shared_out_once_each():
    rows = np.arange(7)
    shares = [ProcessGroup(rank, 3).own(rows) for rank in range(3)]
    assert sorted(np.concatenate(shares)) == list(rows)
    assert [len(share) for share in shares] == [3, 2, 2]
