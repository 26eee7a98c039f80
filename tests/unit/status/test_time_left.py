"""Time left of a run: by the plan's measurements where they are there, else by jobs that are done."""

import json

from plan_inputs import MACHINE_SPEED, RATES
from tools import REPOSITORY

from ouroboros.pipeline import run_records
from ouroboros.pipeline.experiment import Experiment
from ouroboros.pipeline.plans import calibration_key
from ouroboros.status.jobs import read_jobs
from ouroboros.status.time_left import seconds_to_go


def left():
    _, run = run_records.read_all()[0]
    return seconds_to_go(run, read_jobs(run, over=False), REPOSITORY)


def test_median_times_of_the_lineages_own_jobs(folder):
    folder.begin()
    folder.made(1, seconds=30)
    folder.made(2, seconds=90)
    folder.write("logs/tiny/gen2/sample-00001.tsv", "s\th")  # half-written
    seconds, basis = left()
    # generation 1's training, which finds the epochs, is another kind; sampling took 30, 30 and 90
    assert basis == "the times of jobs that are done"
    assert seconds == {6: 90.0, 7: 120.0, 8: 120.0}


def test_before_anything_is_known(folder):
    folder.begin()
    seconds, why = left()
    assert seconds is None and "no plan was made" in why


def test_sampling_goes_by_its_own_line(folder):
    folder.begin()
    folder.made(1, seconds=90)
    folder.made(2)
    folder.write("results/tiny/gen3/checkpoint/config.json", "")
    (folder.path / "results/tiny/gen2/corpus/shard-00001.parquet").unlink()
    folder.event("rule sample:", "gen2/sample-00001", ago=80)
    line = "2026-11-25 15:42:42 sample: 1 of 9 tokens (11 %), 3 tokens/s, 0:01:10 left\n"
    folder.write("logs/tiny/gen2/sample-00001.log", line)
    assert left()[0][5] == 70.0


def test_the_plans_rates_go_first(folder):
    folder.begin()
    folder.made(1, seconds=90)
    folder.write("own.txt", "Tom ran. " * 500)
    folder.write("results/calibration/machine.json", json.dumps(MACHINE_SPEED))
    key = calibration_key(Experiment(folder.resolved, REPOSITORY), "tiny")
    rates = {rule: {"device": "cpu", **rate} for rule, rate in RATES.items()}
    folder.write(f"results/calibration/{key}.json", json.dumps(rates))
    seconds, basis = left()
    assert basis == "the plan's rates"
    # 0.1 s until it is started and twice 0.5 to import Snakemake's part, 2 to import torch, 1 to start,
    # and 20 sequences of 32 tokens at 20 per s
    assert round(seconds[4] - seconds[3], 6) == 0.1 + 1.0 + 2.0 + 1.0 + 32.0
    folder.write("results/calibration/machine.json", '{"start":')  # half-written
    assert left()[1] == "the times of jobs that are done"
    folder.write("results/calibration/machine.json", json.dumps(MACHINE_SPEED))
    folder.write("results/tiny/epochs.json", '{"epochs":')  # half-written: as if it were not there
    assert left() == (seconds, "the plan's rates")
