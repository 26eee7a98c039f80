"""Simulated time: hand-computed schedules."""

import pytest

from ouroboros.planning.schedule import Job, critical_path, ends, makespan


def test_a_chain_takes_the_sum_however_many_gpus():
    chain = [Job(5.0, 1), Job(3.0, 1, parents=[0]), Job(2.0, 1, parents=[1])]
    assert makespan(chain, 1, 8) == makespan(chain, 8, 64) == critical_path(chain) == 10.0


@pytest.mark.parametrize("gpus, seconds", [(1, 12.0), (2, 6.0), (3, 6.0), (4, 3.0), (9, 3.0)])
def test_equal_jobs_share_gpus(gpus, seconds):
    assert makespan([Job(3.0, 1)] * 4, gpus, 100) == seconds


def test_cores_limit_as_gpus_do():
    jobs = [Job(4.0, cores=2), Job(4.0, cores=2), Job(4.0, cores=1)]
    assert makespan(jobs, 0, 2) == 12.0
    assert makespan(jobs, 0, 4) == 8.0
    assert makespan(jobs, 0, 5) == 4.0


def test_a_small_job_passes_one_that_does_not_fit():
    """0 to 4: the first on one core and the third beside it; then the second on both."""
    jobs = [Job(4.0, cores=1), Job(1.0, cores=2), Job(3.0, cores=1)]
    assert makespan(jobs, 0, 2) == 5.0


def test_a_job_larger_than_the_machine_gets_all_of_it():
    assert makespan([Job(2.0, gpus=4, cores=16)], 1, 2) == 2.0


def test_a_diamond():
    """train 6, then two shards of 3 each, then train 6 again, and an evaluation of 1 beside it."""
    jobs = [
        Job(6.0, 1), Job(3.0, 1, parents=[0]), Job(3.0, 1, parents=[0]),
        Job(6.0, 1, parents=[1, 2]), Job(1.0, 1, parents=[0]),
    ]  # fmt: skip
    assert critical_path(jobs) == 15.0
    assert makespan(jobs, 1, 8) == 19.0
    assert makespan(jobs, 2, 8) == 15.0
    assert ends(jobs, 2, 8) == [6.0, 9.0, 9.0, 15.0, 10.0]


def test_nothing_takes_no_time():
    assert makespan([], 1, 1) == critical_path([]) == 0.0
